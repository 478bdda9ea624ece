"""Driver: sends the recorded request through the real ASGI or WSGI callable, or the task."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import itertools
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_async
from retrace_core.conversation import SENT, WEBSOCKET, kept
from retrace_core.native import LANE, current
from retrace_core.protocol import holds_middleware
from retrace_core.replay.asgi_scope import asgi_scope
from retrace_core.replay.boot import in_boot
from retrace_core.replay.carrying_on import CarryingOn
from retrace_core.replay.conversing import converse, while_it_goes_on
from retrace_core.replay.lifespan import Lifespan
from retrace_core.replay.standstill import at_request, in_loop
from retrace_core.replay.tasks import prepare
from retrace_core.replay.unblocking import finished_or_diverged, limited
from retrace_core.replay.wsgi_environ import wsgi_environ
from retrace_core.task_call import PROTOCOL, call_of, end_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from retrace_core.lanes import Lane
    from retrace_core.recording import Recording
    from retrace_core.replay.boot import BootPlayer
    from retrace_core.replay.outcome import Outcome
    from retrace_core.replay.player import Player

__all__ = ["drive", "drive_in_loop"]

_GRACE_S = 10.0
_STEP_S = 0.002
_HEAD_AND_BODY = ("http.response.start", "http.response.body")


def drive(
    app: Any,
    recording: Recording,
    player: Player,
    before: Sequence[tuple[Recording, Player]] = (),
) -> None:
    """Run the recorded request through `app`; what comes out is in `player.outcome`.

    Where the application holds our middleware, the recorded answers begin there, as the
    recording did: what lies outside of it (error pages, sessions) was not recorded.

    Args:
        app: the ASGI or WSGI callable, as `recording.request.protocol` says, or what a task
            is of.
        recording: whose request it is.
        player: gives the answers.
        before: other requests of the same process, to run first, each with its player.
    """
    runs = [*before, (recording, player)]
    if recording.request.protocol in ("asgi", WEBSOCKET):
        _drive_asgi(app, runs)
        return
    _drive_in_turn(app, runs)


def _drive_in_turn(app: Any, runs: Sequence[tuple[Recording, Player]]) -> None:
    player = runs[-1][1]
    carrying_on = CarryingOn(_boot_files(player))
    for recorded, answers in runs:
        for _ in _start_up_gets_there(player.boot, recorded, answers):
            time.sleep(_STEP_S)
        at_request(recorded.header)
        one = carrying_on.before(recorded, answers)
        if one.request.protocol == PROTOCOL:
            work = functools.partial(_drive_task, app, one, answers, player.boot)
        else:
            work = functools.partial(_drive_wsgi, app, one, answers, _first_lane(app, answers))
        with _limit(recorded, answers, player):
            answers.threads.run(one, answers, work)
        if answers is not player:
            answers.finish()
            carrying_on.after(recorded, answers)


def _limit(recording: Recording, player: Player, last: Player) -> AbstractContextManager[None]:
    """Return what ends a request that is run first, where it hangs, and nobody debugs it."""
    if player is last or last.patience_s == float("inf"):
        return nullcontext()
    return limited(player, recording.header.duration_ns / 1e9)


def _start_up_gets_there(
    boot: BootPlayer | None, recording: Recording, player: Player
) -> Iterator[None]:
    """Let the start-up's work get as far as it had got; yields as long as that takes."""
    if boot is not None:
        header = recording.header
        ended_ns = header.started_ns + header.duration_ns
        yield from boot.progress.request_comes(header.started_ns, ended_ns, lambda: player.served)


def _boot_files(player: Player) -> Sequence[Recording]:
    return player.boot.files if player.boot is not None else ()


def _first_lane(app: Any, player: Player) -> Lane:
    return player.infrastructure if holds_middleware(app) else player.root


def _drive_asgi(app: Any, runs: Sequence[tuple[Recording, Player]]) -> None:
    if asyncio._get_running_loop() is None:
        asyncio.run(_requests(app, runs))
        return
    thread = threading.Thread(target=asyncio.run, args=(_requests(app, runs),))
    thread.start()
    thread.join()


async def drive_in_loop(
    app: Any,
    recording: Recording,
    player: Player,
    before: Sequence[tuple[Recording, Player]] = (),
) -> None:
    """Do what `drive` does, in the running event loop, where the application was made in it."""
    if recording.request.protocol in ("asgi", WEBSOCKET):
        await _requests(app, [*before, (recording, player)])
    else:
        await asyncio.to_thread(drive, app, recording, player, before)


async def _requests(app: Any, runs: Sequence[tuple[Recording, Player]]) -> None:
    carrying_on = CarryingOn(_boot_files(runs[-1][1]))
    in_loop()
    async with Lifespan(app, runs[-1][1]) as state:
        for recorded, player in runs:
            for _ in _start_up_gets_there(runs[-1][1].boot, recorded, player):
                await asyncio.sleep(_STEP_S)
            at_request(recorded.header)
            recording = carrying_on.before(recorded, player)
            context = contextvars.copy_context()
            context.run(LANE.set, _first_lane(app, player))
            scope = asgi_scope(recording.request, state)
            conversing = recording.request.protocol == WEBSOCKET
            if conversing:
                request = converse(app, scope, recording, player, teed=holds_middleware(app))
            else:
                request = _asgi_request(app, scope, recording, player)
            task = asyncio.get_running_loop().create_task(request, context=context)
            with _limit(recorded, player, runs[-1][1]):
                await (while_it_goes_on if conversing else finished_or_diverged)(task, player)
                await _spawned_lanes(player)
            if player is not runs[-1][1]:
                player.finish()
                carrying_on.after(recorded, player)


async def _spawned_lanes(player: Player) -> None:
    """Let what outlived the response end, as the recording waited for it too."""
    player.over = True
    deadline = time.monotonic() + _GRACE_S
    while (  # noqa: ASYNC110
        player.divergence is None and player.running() and time.monotonic() < deadline
    ):
        await asyncio.sleep(0.002)  # lanes may end on other threads, without a loop


async def _asgi_request(
    app: Any, scope: dict[str, Any], recording: Recording, player: Player
) -> None:
    outcome = player.outcome
    body = list(recording.request.body)
    sent = asyncio.Event()

    async def receive_unrecorded() -> Any:
        if body:
            return {"type": "http.request", "body": body.pop(0), "more_body": bool(body)}
        await sent.wait()
        return {"type": "http.disconnect"}

    async def receive() -> Any:
        lane = current()
        if lane is None:
            return await receive_unrecorded()
        return await call_async(lane, "asgi.receive", None, receive_unrecorded)

    async def send(message: Any) -> None:
        if player.inside:
            return  # from outside of the middleware: an error page, for instance
        _note_message(outcome, message)
        if outcome.complete:
            sent.set()
        lane = current()
        if lane is not None:
            await call_async(lane, SENT, message["type"], _nothing)
        if message["type"] not in _HEAD_AND_BODY:
            player.said(kept(message))

    try:
        await app(scope, receive, send)
    except BaseException as error:
        if not player.inside:
            player.failed(error)
    finally:
        sent.set()


async def _nothing() -> None:
    return None


def _note_message(outcome: Outcome, message: Any) -> None:
    if message["type"] == "http.response.start":
        outcome.start(message["status"], "", message.get("headers", ()))
    elif message["type"] == "http.response.body":
        outcome.say(bytes(message.get("body", b"")))
        outcome.complete = not message.get("more_body", False)
    elif message["type"] in ("http.response.pathsend", "http.response.zerocopysend"):
        outcome.complete = not message.get("more_body", False)


def _drive_wsgi(app: Any, recording: Recording, player: Player, lane: Lane) -> None:
    token = LANE.set(lane)
    outcome = player.outcome

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        code, _, reason = status.partition(" ")
        if not player.inside:
            outcome.start(int(code), reason, headers)
        return _discard if player.inside else outcome.say

    taken = recording.response
    cut = taken is not None and not taken.complete and recording.failure is None
    limit = taken.chunks if taken is not None and cut else None
    try:
        chunks = app(wsgi_environ(recording.request), start_response)
        try:
            for chunk in itertools.islice(chunks, limit):
                if not player.inside:
                    outcome.say(chunk)
            outcome.complete = outcome.complete or limit is None
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        _await_spawned_lanes(player)
    except BaseException as error:
        if not player.inside:
            player.failed(error)
    finally:
        LANE.reset(token)


def _await_spawned_lanes(player: Player) -> None:
    player.over = True
    deadline = time.monotonic() + _GRACE_S
    while player.divergence is None and player.running() and time.monotonic() < deadline:
        time.sleep(0.002)


def _drive_task(app: Any, recording: Recording, player: Player, boot: BootPlayer | None) -> None:
    with in_boot(boot):
        run = prepare(app, call_of(recording.request))
    token = LANE.set(player.root)
    try:
        _run_task(run, player)
    finally:
        LANE.reset(token)


def _run_task(run: Callable[[], Any], player: Player) -> None:
    outcome, value, raised = player.outcome, None, None
    try:
        value = run()
    except BaseException as error:
        raised = error
    end = end_of(raised, value)
    if end is not None:
        outcome.start(end.status, end.word, end.headers)
        outcome.say(end.body)
        outcome.complete = True
    elif raised is not None:
        player.failed(raised)
    _await_spawned_lanes(player)


def _discard(_: bytes) -> None:
    return None
