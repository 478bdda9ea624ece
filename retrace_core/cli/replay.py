"""The command `replay`: run recordings again: identical, divergent, unusable (exit 0, 1, 2)."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.apps import App, locate, may_be_of_program
from retrace_core.cli.auditing import audit_replay
from retrace_core.cli.each import replay_each, run_apart, show_each
from retrace_core.cli.find import find_all, recording_argument, recordings_option
from retrace_core.cli.flags import narrow, parse_flags
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

    from retrace_core.cli.report import Report
    from retrace_core.recording import Recording
    from retrace_core.replay import ReplayResult
    from retrace_core.replay.divergence import Divergence
    from retrace_core.replay.matching import Mode

__all__ = ["command"]

_PLACE = re.compile(r".+:\d+")
_BARE = "\0"
_DEBUGPY_PORT = 5678
_NOT_SERVED = (404, 405)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was given on the command line, besides the recordings."""

    app: str | None
    app_dir: str | None
    apps: str | None
    as_json: bool
    pdb: str | None
    """None, "" for the exception or the divergence, or "FILE:LINE"."""
    debugpy: int | None
    strict: bool
    reveal: bool
    timeout_s: float
    warm: bool | None
    """True replays the earlier recordings of the same process first; None when it diverges."""
    flags: dict[str, Any]
    """Feature flags to flip, with their new values."""
    mode: Mode
    live: tuple[str, ...]
    """Kinds of calls that are made live when they have no recorded answer."""
    report: tuple[str, ...] = ()
    """Files to write the report to."""
    as_program: bool = False
    """The recorded program is started, whatever name its application has."""

    def arguments(self, path: Path) -> list[str]:
        """Return the command line after `retrace` that replays one recording alike."""
        given = ["replay", str(path.absolute()), "--timeout", str(self.timeout_s)]
        for name, value in (
            ("--app", self.app),
            ("--app-dir", self.app_dir),
            ("--apps", self.apps),
        ):
            given += [name, value] if value is not None else []
        given += [f"--flag={name}={json.dumps(value)}" for name, value in self.flags.items()]
        given += [] if self.warm is None else ["--warm" if self.warm else "--cold"]
        given += ["--mode", self.mode] if self.mode != "strict" else []
        given += ["--live-on-miss", ",".join(self.live)] if self.live else []
        given += ["--strict"] if self.strict else []
        given += ["--reveal"] if self.reveal else []
        given += ["--program"] if self.as_program else []
        return given

    def restarted(self, path: Path) -> list[str]:
        """Return the whole command line for one recording, debugger and output included."""
        given = self.arguments(path) + (["--json"] if self.as_json else [])
        if self.pdb is not None:
            given += ["--pdb", *([self.pdb] if self.pdb else [])]
        if self.debugpy is not None:
            given += ["--debugpy", str(self.debugpy)]
        for file in self.report:
            given += ["--report", file]
        return given

    @property
    def interactive(self) -> bool:
        """True when a person looks at it step by step."""
        return self.pdb is not None or self.debugpy is not None


@click.command(
    name="replay",
    short_help="Run it again on the recorded answers, and compare.",
    epilog="""\b
Examples:
  retrace replay 6a5b04                          every service of a trace
  retrace replay 6a5b04/storefront --app shop:app --app-dir ~/src/shop
  retrace replay trace.bin --pdb                 stop at the exception, or where it diverges
  retrace replay trace.bin --pdb shop.py:41      stop at a line
  retrace replay trace.bin --debugpy             wait for an editor on port 5678
  retrace replay trace.bin --flag checkout=false what had come out with that flag off
  retrace replay trace.bin --mode tolerant       go on where the code has changed, and say so
  retrace replay trace.bin --live-on-miss httpx  ask the REAL world what was not recorded
\b
The application of each service is found, in this order, by --app, by the mapping file
(--apps; [apps.SERVICE] app = "module:attribute", dir = "folder"), by the recording itself:
its name, or else the program that was started, which is run up to where it serves.
\b
Exit status: 0 identical, 1 divergent, 2 unusable (the error says why; also when a flag
of --flag was never asked in the recording).
""",
)
@recording_argument(several=True)
@click.option("--app", metavar="MODULE:ATTRIBUTE", help="The application, as uvicorn names it.")
@click.option("--app-dir", metavar="DIR", help="Folder to import it from; default: this one.")
@click.option("--apps", metavar="FILE", help="Mapping of services to apps; default ./retrace.toml.")
@click.option(
    "--program",
    "as_program",
    is_flag=True,
    help="Start the recorded program, up to where a server gets its application.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--pdb",
    metavar="[FILE:LINE]",
    is_flag=False,
    flag_value=_BARE,
    help="Debug at the exception, at the divergence, or at a line.",
)
@click.option(
    "--debugpy",
    metavar="[PORT]",
    is_flag=False,
    flag_value=_BARE,
    help=f"Wait for an editor to attach; default port {_DEBUGPY_PORT}.",
)
@click.option(
    "--flag",
    "flag",
    metavar="NAME=VALUE",
    multiple=True,
    help="Flip a feature flag that was asked; VALUE is JSON, else text. May be repeated.",
)
@click.option(
    "--warm/--cold",
    default=None,
    help="Run the earlier recordings of its process first, to warm its caches, or don't; "
    "default: when it diverges without.",
)
@click.option(
    "--mode",
    type=click.Choice(["strict", "tolerant"]),
    default="strict",
    show_default=True,
    help="Strict: end where the code asks something else. Tolerant: go on, name each difference.",
)
@click.option(
    "--live-on-miss",
    "live_on_miss",
    metavar="KIND[,KIND]",
    default="",
    help="Make these calls LIVE where no answer was recorded: httpx, or httpx.request.",
)
@click.option(
    "--report",
    metavar="FILE",
    multiple=True,
    type=click.Path(dir_okay=False),
    help="Write recorded against replayed side by side to FILE: .json or .html.",
)
@click.option("--strict", is_flag=True, help="Refuse when Python, libraries or code differ.")
@click.option("--reveal", is_flag=True, help="Show sensitive headers, which are masked else.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Give a replay up after so many seconds.",
)
@recordings_option
def command(
    recording: tuple[str, ...],
    pdb: str | None,
    debugpy: str | None,
    recordings: str | None,
    flag: tuple[str, ...],
    live_on_miss: str,
    report: tuple[str, ...],
    **given: Any,
) -> int:
    """Run recorded requests again, on the recorded answers, and compare what comes out.

    Each RECORDING is the path of a trace file, the folder of a trace, a trace id or the
    beginning of one (6 characters or more), or TRACE/SERVICE. Nothing live is touched:
    sockets, processes and files to write are refused while the application runs.
    """
    names = list(recording)
    options = Options(
        pdb=_place(pdb, names),
        debugpy=_port(debugpy, names),
        flags=parse_flags(flag),
        live=tuple(filter(None, (kind.strip() for kind in live_on_miss.split(",")))),
        report=report,
        **given,
    )
    for file in report:
        if not file.endswith((".json", ".html")):
            raise click.UsageError(f"--report {file}: use a name that ends in .json or .html")
    if not names:
        raise click.UsageError("Missing argument RECORDING")
    paths = find_all(names, recordings)
    if options.interactive and options.as_json:
        raise click.UsageError("--json does not go with a debugger")
    if len(paths) == 1:
        audit_replay(paths[0])
        return _replay_here(paths[0], options)
    if options.interactive:
        listed = " or ".join("/".join(path.parts[-3:-1]) for path in paths[:3])
        raise click.UsageError(
            f"a debugger takes one recording: give one of {len(paths)}, {listed}"
        )
    if options.report:
        raise click.UsageError(f"--report takes one recording: give one of {len(paths)}")
    narrowed = narrow(paths, options.flags)
    reports = replay_each(
        list(narrowed),
        lambda path: dataclasses.replace(options, flags=narrowed[path]).arguments(path),
    )
    status = max(report["exit_status"] for report in reports)
    if options.as_json:
        print_json({"identical": status == 0, "exit_status": status, "recordings": reports})
    else:
        show_each(reports)
    return int(status)


def _place(value: str | None, names: list[str]) -> str | None:
    """Return the breakpoint; what can't be one, after a bare --pdb, is a recording."""
    if value is None or value == _BARE:
        return value and ""
    if _PLACE.fullmatch(value):
        return value
    names.append(value)
    return ""


def _port(value: str | None, names: list[str]) -> int | None:
    if value is None:
        return None
    if value.isdecimal():
        if int(value) > 65535:
            raise click.UsageError(f"--debugpy {value} is no port; use 1 to 65535")
        return int(value)
    if value != _BARE:
        names.append(value)
    return _DEBUGPY_PORT


def _replay_here(path: Path, options: Options) -> int:
    recording = load(path)
    app = locate(
        recording.header,
        options.app,
        options.app_dir,
        options.apps,
        as_program=options.as_program,
    )
    order = restart_for(recording.header.environment.hash_seed, options.restarted(path))
    warnings = mismatches(recording.header.environment, app.folder) + ([order] if order else [])
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
    from retrace_core.replay.earlier import count_earlier

    recording = result.recording
    if _may_be_cold(result, options) and (some := count_earlier(path, recording)):
        warm = dataclasses.replace(
            options,
            warm=True,
            app=None if app.program else app.name,
            app_dir=app.folder,
            as_program=app.program is not None,
        )
        status, said = run_apart(warm.restarted(path))
        if status == 0:
            if not options.as_json:
                note(f"diverged alone, so {some} earlier requests of its process were run first")
            sys.stdout.write(said)
            return status
        result.notes.append(f"no cold cache alone: with {some} earlier requests first, it is alike")
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


def _run(path: Path, recording: Recording, app: App, options: Options, warnings: list[str]) -> int:
    from retrace_core.cli import debugging
    from retrace_core.replay import replay
    from retrace_core.replay.boot import find_boot_tape
    from retrace_core.replay.earlier import count_earlier, earlier

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
    first = earlier(path, recording) if options.warm else []

    def concluded(result: ReplayResult) -> int:
        if first:
            result.notes.append(f"{len(first)} earlier requests of its process were run first")
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
    if result.flags or result.identical or app.name == recorded or status not in _NOT_SERVED:
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
