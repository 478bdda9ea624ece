"""Replay here: one recording, replayed in this process, and in others where it diverges."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from retrace_core.cli.apps import App, locate, may_be_of_program
from retrace_core.cli.each import run_apart
from retrace_core.cli.holes import hole_note
from retrace_core.cli.leaving import leave_with
from retrace_core.cli.mismatch import mismatches
from retrace_core.cli.redacted import masked_words, seal_note
from retrace_core.cli.restart import is_debugged, restart_for, run_again
from retrace_core.cli.screen import Screen, note, print_json
from retrace_core.cli.surroundings import stdout_kept, time_limit
from retrace_core.errors import AppNotLoadable, ReplayError, WrongApp
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core.cli.replay_options import Options
    from retrace_core.cli.report import Report
    from retrace_core.recording import Recording
    from retrace_core.replay import ReplayResult
    from retrace_core.replay.divergence import Divergence

__all__ = ["replay_here"]

_NOT_SERVED = (404, 405)


def replay_here(path: Path, options: Options) -> int:
    """Replay one recording, tell what came out, and return the exit status.

    Args:
        path: of its trace file.
        options: of the command line.
    """
    recording = load(path)
    app = locate(
        recording.header,
        options.app,
        options.app_dir,
        options.apps,
        as_program=options.as_program,
    )
    differs = restart_for(recording.header.environment, options.restarted(path))
    warnings = mismatches(recording.header.environment, app.folder) + differs
    if options.strict and warnings:
        raise ReplayError(f"refused by --strict: {'; '.join(warnings)}")
    # No reason for --strict to refuse: it is so here and everywhere.
    warnings += filter(None, [hole_note(recording.header), seal_note(recording)])
    if not options.as_json:
        for text in warnings:
            note(text)
    # Before the application is imported: its own middleware must stand aside, and what it
    # would compile must not be written.
    os.environ["RETRACE"] = "0"
    sys.dont_write_bytecode = True
    sys.argv = ["retrace"]
    if not (options.live or options.debugpy is not None or is_debugged()):
        from retrace_core.replay.no_network import leave_network

        leave_network()  # an editor, which is outside, could not attach
    try:
        return _run(path, recording, app, options, warnings)
    except AppNotLoadable:
        if not may_be_of_program(recording.header, app):
            raise
        # What is made in the program's main is no global that an import would make.
        run_again(dataclasses.replace(options, as_program=True).restarted(path))


def _verdict(
    path: Path, app: App, options: Options, result: ReplayResult, warnings: list[str]
) -> int:
    """Tell what came out, by other ways where this one has diverged; return the exit status."""
    from retrace_core.replay.earlier import SAID, ways_to_warm

    recording = result.recording
    ways = ways_to_warm(path, recording) if _may_be_cold(result, options) else {}
    astray: list[str] = []
    for which, some in ways.items():
        warm = dataclasses.replace(
            options,
            warm=True,
            earlier=which,
            app=None if app.program else app.name,
            app_dir=app.folder,
            as_program=app.program is not None,
        )
        status, said = run_apart(warm.restarted(path))
        if status == 0:
            if not options.as_json:
                note(f"diverged alone, so {some} {SAID[which]} were run first")
            sys.stdout.write(said)
            return status
        astray = astray or _of_earlier(said, as_json=options.as_json)
    if ways:
        some = next(iter(ways.values()))
        result.notes.append(
            f"not what {some} earlier requests had left in memory: with them first, it is alike;"
            " what was not recorded (health checks and other paths of RETRACE_EXCLUDE, the rate, a"
            " limit) may have filled something"
        )
        result.notes.extend(astray)
    if _may_come_otherwise(result, options) and may_be_of_program(recording.header, app):
        status, said = run_apart(dataclasses.replace(options, as_program=True).restarted(path))
        if status == 0:
            if not options.as_json:
                note("diverged by its name, so the program was started that has made it")
            sys.stdout.write(said)
            return status
    if not result.identical and (masked := masked_words(recording)):
        result.notes.append(
            f"masked in it, so that what is reckoned from it may come out otherwise: {masked}"
        )
    _check_it_is_the_app(result, app)
    from retrace_core.cli.report import Report

    told = Report(path=path, app=app, result=result, warnings=warnings, reveal=options.reveal)
    _tell(told, as_json=options.as_json)
    for file in options.report:
        from retrace_core.cli.report_file import write_report

        write_report(told, file)
    return result.exit_status


def _of_earlier(said: str, *, as_json: bool) -> list[str]:
    """Return which earlier requests diverged, from what a replay said that ran them first."""
    from retrace_core.replay.astray import ASTRAY

    try:
        notes = json.loads(said)["recordings"][0]["notes"] if as_json else said.splitlines()
    except (ValueError, LookupError):
        return []
    return [one.strip().removeprefix("note: ") for one in notes if ASTRAY in one]


def _run(path: Path, recording: Recording, app: App, options: Options, warnings: list[str]) -> int:
    from retrace_core.cli import debugging
    from retrace_core.replay import replay
    from retrace_core.replay.boot import find_boot_tape
    from retrace_core.replay.earlier import SAID, count_earlier, earlier

    on_failure: Callable[[BaseException], None] | None = None
    on_divergence: Callable[[Divergence], None] | None = None
    around: Callable[[Callable[[], None]], None] | None = None
    if options.pdb:
        around = debugging.break_at(options.pdb, app.folder)
    elif options.pdb is not None:
        debugger = debugging.ReplayPdb()
        on_divergence = debugging.stop_at_divergence(debugger)
        on_failure = debugger.post_mortem
    if options.debugpy is not None:
        debugging.wait_for_editor(options.debugpy)
    debugged = options.interactive or is_debugged()
    first = earlier(path, recording, options.earlier) if options.warm else []

    def concluded(result: ReplayResult) -> int:
        if first:
            result.notes.append(f"{len(first)} {SAID[options.earlier]} were run first")
        elif options.interactive and not result.identical and count_earlier(path, recording):
            result.notes.append(
                "perhaps a cold cache: earlier requests of its process were recorded too; run them"
                " first with --warm"
            )
        failure, recorded = result.failure, recording.failure
        if failure and failure.type == "builtins.KeyboardInterrupt" and failure != recorded:
            raise KeyboardInterrupt
        return _verdict(path, app, options, result, warnings)

    with ExitStack() as limits:
        limits.enter_context(time_limit(None if debugged else options.timeout_s))
        limits.enter_context(stdout_kept(options.as_json))

        def done(result: ReplayResult) -> None:
            limits.close()
            leave_with(lambda: concluded(result))

        result = replay(
            recording,
            app.program or app.name,
            app_dir=app.folder,
            patience_s=float("inf") if debugged else min(10.0, options.timeout_s),
            on_failure=on_failure,
            on_divergence=on_divergence,
            around=around,
            flags=options.flags,
            boot=find_boot_tape(path, recording),
            before=first,
            mode=options.mode,
            live_on_miss=options.live,
            done=done if app.program is not None else None,
        )
    return concluded(result)


def _may_be_cold(result: ReplayResult, options: Options) -> bool:
    """Return True where it is worth a try to warm the caches first."""
    return options.warm is None and _may_come_otherwise(result, options)


def _may_come_otherwise(result: ReplayResult, options: Options) -> bool:
    """Return True where it is worth a try in another way."""
    return not result.identical and not (
        options.interactive or options.flags or options.live or options.report
    )


def _check_it_is_the_app(result: ReplayResult, app: App) -> None:
    """Refuse the verdict on an application that does not know the request at all."""
    header = result.recording.header
    status = result.response.status if result.response else 0
    recorded = header.environment.app
    if app.program is not None or app.name == recorded:
        return  # the very program that was recorded
    if result.flags or result.identical or status not in _NOT_SERVED:
        return
    if header.status not in _NOT_SERVED and result.divergence is None:
        raise WrongApp(
            f"{app.name} answers {status} to {header.method} {header.path}, recorded was"
            f" {header.status} of service {header.service!r} ({recorded or 'an unnamed app'}):"
            " it is another application; give its own with --app"
        )


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        document = report.document()
        print_json(
            {
                "identical": document["identical"],
                "exit_status": document["exit_status"],
                "recordings": [document],
            }
        )
    else:
        report.show(Screen())
