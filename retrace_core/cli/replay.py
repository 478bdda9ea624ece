"""The command `replay`: run recordings again: identical, divergent, unusable (exit 0, 1, 2)."""

from __future__ import annotations

import dataclasses
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.apps import for_each
from retrace_core.cli.auditing import audit_replay
from retrace_core.cli.each import replay_each, show_each
from retrace_core.cli.find import find_all, recording_argument, recordings_option
from retrace_core.cli.flags import narrow, parse_flags
from retrace_core.cli.replay_here import replay_here
from retrace_core.cli.replay_options import Options
from retrace_core.cli.screen import print_json
from retrace_core.errors import RecordingError
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.recording import Header

__all__ = ["command"]

_PLACE = re.compile(r".+:\d+")
_BARE = "\0"
_DEBUGPY_PORT = 5678


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
Of several recordings, --app is for those of its package; tasks and other services have their own.
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
    "--earlier",
    type=click.Choice(("warm-ups", "begun", "overlapping", "ended")),
    default="begun",
    show_default=True,
    help="With --warm, which: the first of each kind alone, all that began before it, that began"
    " before it ended, or that ended before it began.",
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
        return replay_here(paths[0], options)
    if options.interactive:
        listed = " or ".join("/".join(path.parts[-3:-1]) for path in paths[:3])
        raise click.UsageError(
            f"a debugger takes one recording: give one of {len(paths)}, {listed}"
        )
    if options.report:
        raise click.UsageError(f"--report takes one recording: give one of {len(paths)}")
    narrowed = narrow(paths, options.flags)
    apps = _apps(options.app, list(narrowed))
    reports = replay_each(
        list(narrowed),
        lambda path: dataclasses.replace(options, flags=narrowed[path], app=apps[path]).arguments(
            path
        ),
    )
    status = max(report["exit_status"] for report in reports)
    if options.as_json:
        print_json({"identical": status == 0, "exit_status": status, "recordings": reports})
    else:
        show_each(reports)
    return int(status)


def _apps(app: str | None, paths: list[Path]) -> dict[Path, str | None]:
    """Return for which recordings `--app` is meant."""
    headers: dict[Path, Header] = {}
    for path in paths:
        with suppress(RecordingError):  # its replay will say so
            headers[path] = load_header(path)
    meant = for_each(app, list(headers.values()))
    return {**dict.fromkeys(paths, app), **dict(zip(headers, meant, strict=True))}


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
