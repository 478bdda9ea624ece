"""Sets of classes, of functions and of a request's tasks are gone through in one order."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import installer, native
from retrace_core.boot.tape import end_boot
from retrace_core.lanes import mask
from retrace_core.native import LANE
from tests.recorded import answer_of, assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="a set's order is in C")


@pytest.fixture(autouse=True)
def in_lane() -> Iterator[None]:
    """Run as in a request that is recorded."""
    installer.install()
    end_boot()
    native.arm(1)
    token = LANE.set(native.Lane(native.ScopeState(), native.RECORD))
    yield
    LANE.reset(token)
    native.arm(-1)


def named(name: str) -> type:
    """Return a class."""
    return type(name, (), {"__module__": "shop"})


def iterator_of(members: set[Any]) -> type:
    """Return what goes through a set."""
    return type(iter(members))


@pytest.mark.parametrize("kind", [set, frozenset])
def test_classes_come_by_their_names(kind: type[set[Any]]) -> None:
    """Not by where they lie in memory, which is another place in each process."""
    names = [f"Model{number:02}" for number in range(40)]
    members = kind(named(name) for name in reversed(names))
    assert [one.__name__ for one in iter(members)] == names


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="a list is made of a set past its iterator")
def test_so_does_a_list_of_them() -> None:
    names = ["Apple", "Pear", "Plum"]
    assert [one.__name__ for one in list({named(name) for name in names})] == names


def test_functions_come_by_their_names_and_lines() -> None:
    """Lambdas have all the same name."""

    def plum() -> None: ...

    def apple() -> None: ...

    first = lambda: None  # noqa: E731
    second = lambda: None  # noqa: E731
    assert list(iter({second, plum, first, apple})) == [first, second, apple, plum]


def test_classes_built_in_and_ones_own_stand_together() -> None:
    members = {int, str, named("Pear"), ValueError}
    assert [one.__name__ for one in iter(members)] == ["ValueError", "int", "str", "Pear"]


def test_a_set_that_changes_meanwhile_is_told_of() -> None:
    """As without us."""
    members = {named("Apple"), named("Pear"), named("Plum")}
    going = iter(members)
    members.discard(next(going))
    with pytest.raises(RuntimeError, match="Set changed size during iteration"):
        next(going)


def test_outside_of_a_recorded_request_they_come_as_they_did() -> None:
    """To sort them takes a hundred times as long as to go through them."""
    members = {named(f"Model{number:02}") for number in range(40)}
    assert iterator_of(members) is not iterator_of({1})
    with mask():
        assert iterator_of(members) is iterator_of({1})


def test_what_is_no_such_set_comes_as_it_did() -> None:
    """Members of several kinds, too."""
    mixed = [named("Apple"), "pear", 3, None]
    assert set(iter(set(mixed))) == set(mixed)
    assert list(iter({1, 2, 3})) == [1, 2, 3]


def test_tasks_of_a_request_come_as_they_were_spawned(recordings: Path) -> None:
    """So a replay cancels the same one first, though they lie elsewhere in memory."""

    async def handler() -> str:
        told: list[str] = []

        async def wait(name: int) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                told.append(str(name))

        tasks = {asyncio.create_task(wait(name)) for name in range(12)}
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return " ".join(told)

    with mask():
        app, recording = record_asgi(recordings, handler)
        assert answer_of(recording) == " ".join(map(str, range(12)))
        assert_identical(recording, app, 1)
