"""Replaying: one recorded request through the application, from its start-up to the result."""

from __future__ import annotations

import dataclasses
import functools
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrace_core import installer, native
from retrace_core.boundary import replay_began
from retrace_core.errors import ReplayError, WrongApp
from retrace_core.flags import flip
from retrace_core.interpreter import as_deep
from retrace_core.live_call import ask_live
from retrace_core.protocol import Protocol, detect
from retrace_core.recording import Program, Recording, Response
from retrace_core.replay import standstill
from retrace_core.replay.addresses import address_note
from retrace_core.replay.application import load_app
from retrace_core.replay.astray import astray
from retrace_core.replay.boot import (
    BootPlayer,
    booting,
    find_boot_tape,
    in_boot,
    is_of_start_up,
)
from retrace_core.replay.comparison import compare, compare_messages
from retrace_core.replay.cuts import cut_notes
from retrace_core.replay.driver import drive, drive_in_loop
from retrace_core.replay.live_kinds import check_live
from retrace_core.replay.loop_clock import timers_by_live_clock
from retrace_core.replay.matching import MODES
from retrace_core.replay.pack_order import pack_note
from retrace_core.replay.player import Player
from retrace_core.replay.program import run_program
from retrace_core.replay.result import ReplayResult
from retrace_core.replay.sandbox import Refusal, closed_world
from retrace_core.replay.serving_threads import ServingThreads
from retrace_core.task_call import PROTOCOL
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from retrace_core.replay.divergence import Divergence
    from retrace_core.replay.matching import Mode

__all__ = ["replay"]

_PATIENCE_ON_OTHER_PATHS_S = 2.0


def replay(
    recording: Recording | Path | str | bytes,
    app: Any,
    *,
    app_dir: str | None = None,
    patience_s: float = 10.0,
    allow_write: Sequence[str] = (),
    on_failure: Callable[[BaseException], None] | None = None,
    on_divergence: Callable[[Divergence], None] | None = None,
    around: Callable[[Callable[[], None]], None] | None = None,
    flags: Mapping[str, Any] | None = None,
    boot: Sequence[Recording] | None = None,
    before: Sequence[Recording] = (),
    mode: Mode = "strict",
    live_on_miss: Sequence[str] = (),
    done: Callable[[ReplayResult], None] | None = None,
) -> ReplayResult:
    """Run a recorded request through `app` on the recorded answers, and compare.

    No live call is possible while it runs. It may be used in a test; a fresh process (the
    `retrace replay` command) is stricter, since caches of this process may be warm.

    Args:
        recording: a loaded recording, or the path or bytes of a trace file.
        app: the ASGI or WSGI callable, or its name, "module:attribute"; of a worker's task the
            Celery application, or anything of the application that RQ's function is of; or a
            recorded program, which is started, and run up to where a server would serve.
        app_dir: the folder to import a named app from; default the current one.
        patience_s: how long a thread or task may wait for its recorded turn without any
            progress, in seconds; use `float("inf")` under a debugger.
        allow_write: folders below which the replayed code may write files.
        on_failure: called with the exception that leaves the application.
        on_divergence: called with the first divergence, on the line that asked.
        around: gets a function that runs the request, and must call it (for tracers).
        flags: feature flags to flip, name -> value: the application gets these answers
            instead of the recorded ones, and the result says what came out differently. It
            may leave out recorded calls then; a call that was not recorded ends the replay.
        boot: the files of the boot tape of its process; default: those beside the path.
        before: earlier recordings of the same process, oldest first, to run first, so that
            what the process keeps in memory is there; see `earlier`.
        mode: "strict" ends the replay at the first call that is not the next recorded one of
            its thread or task. "tolerant", for changed code, goes on: each call that is
            left out, reordered, changed or answered by the nearest recorded one is in the
            result's `deviations`, and the result is not `identical`.
        live_on_miss: kinds of calls ("httpx", "httpx.request") that are made live when they
            have no recorded answer. They reach the real world, with all effects.
        done: called with the result, where the application still runs; it may end the process.
            A program is not left then, which it may not expect.

    Returns:
        The result; `result.identical` tells whether the same came out.

    Raises:
        RecordingError: the trace file can't be read.
        AppNotLoadable: a named app can't be imported, or its start-up failed.
        WrongApp: the app is ASGI and the recording WSGI, or the other way round.
        FlagNotAsked: a flag to flip was never asked in the recording.
        ReplayError: the mode is none, or a kind can't be asked live.
    """
    if mode not in MODES:
        raise ReplayError(f"mode {mode!r} is none; use {' or '.join(MODES)}")
    loaded = recording if isinstance(recording, Recording) else load(recording)
    if boot is None and isinstance(recording, Path | str):
        boot = find_boot_tape(Path(recording), loaded)
    threads = ServingThreads()
    header = loaded.header
    boot_player = None
    if boot:
        boot_player = BootPlayer(boot, header.started_ns, threads, header.environment.pid)
    if boot_player is not None and before:
        boot_player.progress.allow(float(before[0].header.started_ns))
    played = flip(loaded, flags) if flags else loaded
    if (flags or mode == "tolerant") and patience_s < float("inf"):
        # A call that is left out never comes: nobody waits long for its turn.
        patience_s = min(patience_s, _PATIENCE_ON_OTHER_PATHS_S)
    installer.install()
    player: Player | None = None
    first: list[tuple[Recording, Player]] = []
    booted = 0

    def begun(target: Any) -> Player:
        nonlocal player, booted
        _check_protocol(target, loaded)
        check_live(live_on_miss)
        player = Player(
            played,
            patience_s=patience_s,
            mode=mode,
            passes_over=bool(flags),
            live=live_on_miss,
            threads=threads,
        )
        stage.callback(player.finish)
        booted = len(refusals)
        player.findings.notes += boot_notes
        player.boot = boot_player
        if on_failure is not None:
            player.when_failing(on_failure)
        if on_divergence is not None:
            player.when_diverging(on_divergence)
        patience_before_s = min(patience_s, 2.0)
        first.extend(
            (one, Player(one, patience_s=patience_before_s, threads=threads)) for one in before
        )
        for one in (player, *(earlier for _, earlier in first)):
            one.is_masked |= boot_player is not None and bool(boot_player.masks)
        return player

    def run(target: Any) -> None:
        driven = functools.partial(drive, target, loaded, begun(target), first)
        if around is None:
            driven()
        else:
            around(driven)
        end()

    async def run_in_loop(target: Any) -> None:
        if around is not None:
            raise ReplayError("a tracer can't follow into a running event loop; use --debugpy")
        await drive_in_loop(target, loaded, begun(target), first)
        end()

    def end() -> None:
        if done is not None:
            stage.close()
            # The application's other threads still find the world closed.
            ask_live(functools.partial(done, result()))

    def result() -> ReplayResult:
        assert player is not None
        refused, notes = _of_request(refusals, first, booted)
        player.findings.notes += notes
        player.findings.notes += player.cold_notes()
        if boot_player is not None:
            player.findings.notes += boot_player.progress.notes()
        found = _result(loaded, player, refused, flags or {})
        if boot_player is not None and boot_player.lacking and not found.identical:
            found.notes.append(_LACKING.format(boot_player.lacking[0]))
        return dataclasses.replace(found, mode=mode, live=tuple(live_on_miss))

    with closed_world(allow_write) as refusals, ExitStack() as stage:
        stage.callback(replay_began, -1)
        replay_began(1)
        stage.callback(native.arm, -1)
        native.arm(1)
        stage.callback(native.set_pid, 0)
        native.set_pid(loaded.header.environment.pid)
        stage.callback(threads.close)
        if boot_player is not None:
            stage.callback(boot_player.finish)
        stage.enter_context(as_deep(loaded.header.environment.interpreter))
        stage.enter_context(timers_by_live_clock())
        boot_notes = stage.enter_context(booting(boot_player, app_dir))
        stage.enter_context(standstill.watched(boot_player, refusals))
        missing = _missing(loaded, boot_player)
        if isinstance(app, Program):
            with in_boot(boot_player):
                folder = app_dir or os.getcwd()
                run_program(app, folder, run, run_in_loop, missing=missing)
        else:
            with in_boot(boot_player):
                target = load_app(app, app_dir, missing=missing) if isinstance(app, str) else app
            run(target)
    return result()


_LACKING = "its start-up asked what is not on the boot tape, the first of it: {}"
_SCRATCH = "the folder for temporary files, in what it said, is compared as the recorded one"


def _missing(recording: Recording, boot: BootPlayer | None) -> str:
    """Return in words what the start-up lacks, "" for nothing."""
    if not recording.header.boot or boot is not None:
        return ""
    return (
        f"the boot tape of its process, {recording.header.boot}, is not beside the"
        " recording; put it there, in the folder that holds that of the trace"
    )


def _of_request(
    refusals: list[Refusal], earlier: list[tuple[Recording, Player]], booted: int
) -> tuple[list[str], list[str]]:
    """Return which live calls were refused to the request itself, and notes on all others.

    Args:
        refusals: all of them.
        earlier: the requests that were run first, and who answered them.
        booted: how many there were when the start-up had ended.
    """
    count, theirs = len(earlier), [id(one) for _, one in earlier]
    own = [one for one in refusals[booted:] if one.own or is_of_start_up(one.scope)]
    refused = [one.what for one in refusals if id(one.scope) not in theirs and one not in own]
    notes = astray(earlier)
    if others := len(refusals) - len(refused) - len(own):
        notes.append(f"{others} live calls of the {count} earlier requests were refused")
    if own:
        notes.append(
            f"{len(own)} live calls of the process's own threads, which are of no request, were"
            " refused"
        )
    return refused, notes


def _result(
    recording: Recording, player: Player, refused: list[str], flags: Mapping[str, Any]
) -> ReplayResult:
    outcome, found = player.outcome, player.findings
    failure = outcome.failure
    response = outcome.response()
    differences = [] if player.divergence else compare(recording, response, failure, player.masks)
    if not player.divergence:
        differences += compare_messages(recording, outcome.messages, player.masks)
    return ReplayResult(
        recording=recording,
        differences=differences,
        divergence=player.divergence,
        response=response,
        failure=failure,
        notes=[
            *cut_notes(recording),
            *address_note(_body(recording.response), _body(response), player.masks),
            *pack_note(_body(recording.response), _body(response), player.masks),
            *([_SCRATCH] if outcome.has_scratch else []),
            *found.summarise(),
        ],
        refused=refused,
        unused=0 if player.divergence else len(found.unused()),
        events_served=player.served,
        flags=flags,
        first_passed=found.first_passed,
        deviations=found.deviations(),
    )


def _body(response: Response | None) -> bytes:
    return b"" if response is None else b"".join(response.body)


def _check_protocol(app: object, recording: Recording) -> None:
    if recording.request.protocol == PROTOCOL:
        return  # told by what runs it
    found = detect(app)
    spoken = Protocol.WSGI if recording.request.protocol == "wsgi" else Protocol.ASGI
    if found not in (Protocol.UNKNOWN, spoken):
        raise WrongApp(
            f"the recording is of {spoken.value.upper()} service"
            f" {recording.header.service!r}, and the app given is {found.value.upper()};"
            f" it was recorded from {recording.header.environment.app or 'an unnamed app'}:"
            " give that one with --app"
        )
