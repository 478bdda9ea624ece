"""Loop steps: what else an event loop did between two answers is counted, unless it was idle."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from retrace_core.concurrency.loop_steps import FAR, LoopSteps

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Run = Callable[[Coroutine[Any, Any, None]], None]

LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on a loop of each kind."""
    return LOOPS[request.param]  # type: ignore[return-value]


def test_answers_in_one_step_are_no_step_apart(run: Run) -> None:
    """What a task gets without the loop in between, it gets together."""
    steps = LoopSteps()

    async def main() -> None:
        steps.note(1)
        steps.note(2)

    run(main())
    assert steps.gaps == [(1, 2, 0)]


def test_steps_between_two_answers_are_counted(run: Run) -> None:
    """A task that lets the others run once goes on a step later."""
    steps = LoopSteps()

    async def main() -> None:
        steps.note(1)
        await asyncio.sleep(0)
        steps.note(2)

    run(main())
    assert steps.gaps == [(1, 2, 1)]


def test_a_loop_that_had_nothing_else_to_do_leaves_no_gap(run: Run) -> None:
    """All that was ready has run: replay does the same before each answer."""
    steps = LoopSteps()

    async def main() -> None:
        steps.note(1)
        await asyncio.sleep(0.01)
        steps.note(2)

    run(main())
    assert steps.gaps == []


def test_a_busy_loop_is_far_after_so_many_steps() -> None:
    """More steps than any hand-over takes are as good as none known."""
    steps = LoopSteps()

    async def main() -> None:
        steps.note(1)
        for _ in range(FAR - 2):
            await asyncio.sleep(0)
        steps.note(2)
        for _ in range(FAR + 2):
            await asyncio.sleep(0)
        steps.note(3)

    asyncio.run(main())
    assert [gap[:2] for gap in steps.gaps] == [(1, 2)]


def test_an_answer_on_another_loop_is_in_no_step_of_this_one(run: Run) -> None:
    """Loops of two threads don't wait for each other: only their turns are kept."""
    steps = LoopSteps()

    async def elsewhere() -> None:
        steps.note(2)

    async def main() -> None:
        steps.note(1)
        thread = threading.Thread(target=lambda: run(elsewhere()))
        thread.start()
        thread.join()
        steps.note(3)

    run(main())
    assert steps.gaps == []


def test_the_next_loop_of_a_thread_begins_anew(run: Run) -> None:
    """No gap reaches from one loop of a thread to the one after it."""
    steps = LoopSteps()

    async def main(number: int) -> None:
        steps.note(number)

    run(main(1))
    run(main(2))
    assert steps.gaps == []


def test_no_loop_no_gap() -> None:
    """An answer on a thread without a loop comes in no step."""
    steps = LoopSteps()
    steps.note(1)
    steps.note(2)
    assert steps.gaps == []


def test_a_loop_is_idle_again_when_nobody_asks(run: Run) -> None:
    """The clock ends its ticking by itself: it keeps no loop busy and no request alive."""
    steps = LoopSteps()
    left: list[int] = []

    async def main() -> None:
        steps.note(1)
        await asyncio.sleep(0.01)
        ready = getattr(asyncio.get_running_loop(), "_ready", ())
        left.append(len(ready))

    run(main())
    assert left == [0]
