"""The command `verify`: replay many recordings, as tests (exit 0, 1, 2)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.corpus import Chosen, choose, trace_files
from retrace_core.cli.find import complete_recording, recordings_option
from retrace_core.cli.ignoring import configured_rules
from retrace_core.cli.marking import mark, watch
from retrace_core.cli.screen import Screen, note, print_json, progress
from retrace_core.cli.tally import Tally
from retrace_core.cli.verify_pool import ISOLATIONS, default_isolation, replay_all
from retrace_core.errors import RecordingNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command"]


@click.command(
    name="verify",
    short_help="Replay many recordings, as tests.",
    epilog="""\b
Examples:
  retrace verify recordings --app shop:app
  retrace verify recordings --junit report.xml --ignore 'body.$.generated_at'
  retrace verify --watch --app shop:app           mark what replays, as it comes
\b
Ignorable fields: status, body, body.$.items[*].id, header.NAME, exception, traceback;
also [verify] ignore = [...] in ./retrace.toml.
\b
Exit status: 0 all identical, 1 some not, 2 some could not be replayed, or there are none.
""",
)
@click.argument("recording", metavar="[RECORDINGS]...", nargs=-1, shell_complete=complete_recording)
@click.option("--app", metavar="MODULE:ATTRIBUTE", help="The application, as uvicorn names it.")
@click.option("--app-dir", metavar="DIR", help="Folder to import it from; default: this one.")
@click.option("--apps", metavar="FILE", help="Mapping of services to apps; default ./retrace.toml.")
@click.option("--service", metavar="NAME", multiple=True, help="Only this service. Repeatable.")
@click.option(
    "--mode",
    type=click.Choice(["strict", "tolerant"]),
    default="strict",
    show_default=True,
    help="As of retrace replay.",
)
@click.option("--ignore", metavar="FIELD", multiple=True, help="May differ. Repeatable.")
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help="At the same time; default: one for each processor.",
)
@click.option(
    "--isolate",
    type=click.Choice(ISOLATIONS),
    default=default_isolation(),
    help="Fork: each recording in a copy of a process that has imported the application."
    " Process: in one from scratch. None: many in one, where caches get warm.",
)
@click.option(
    "--cold",
    is_flag=True,
    help="Don't run the earlier recordings of its process first where one diverges alone.",
)
@click.option("--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write JUnit XML.")
@click.option("--json", "json_file", metavar="FILE", help="Write JSON; - is standard output.")
@click.option("--mark", "marks", is_flag=True, help="Mark recordings that replay identically.")
@click.option("--watch", "watches", is_flag=True, help="Go on with what comes, and mark it.")
@click.option(
    "--interval",
    "interval_s",
    metavar="S",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    help="Of --watch, between looks.",
)
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Give one recording up after so many seconds.",
)
@recordings_option
def command(
    recording: tuple[str, ...],
    recordings: str | None,
    ignore: tuple[str, ...],
    jobs: int,
    junit: str | None,
    json_file: str | None,
    marks: bool,
    watches: bool,
    interval_s: float,
    **given: Any,
) -> int:
    """Replay recordings side by side, each in a fresh process, and count what is identical.

    RECORDINGS are folders, in which all trace files are taken, or what retrace replay takes;
    default: where recordings are kept.
    """
    rules = [rule.text for rule in configured_rules(ignore)]
    chosen = Chosen(ignore=rules, **given)
    if chosen.isolate == "fork" and not hasattr(os, "fork"):
        raise click.UsageError("--isolate fork: this platform has no fork; use process")
    if watches:
        if rules or chosen.mode != "strict":
            raise click.UsageError("--watch marks what is identical: no --ignore, mode strict")
        if json_file or junit:
            raise click.UsageError("--watch goes on for ever: no --json and no --junit")
        return watch(
            lambda: trace_files(recording, recordings), chosen, jobs=jobs, interval_s=interval_s
        )
    for file in (junit, json_file):
        if file not in (None, "-"):
            Path(str(file)).write_bytes(b"")  # told now, and not after all replays
    tally = _verify(trace_files(recording, recordings), chosen, jobs, marks=marks)
    if junit:
        Path(junit).write_bytes(tally.junit())
    if json_file == "-":
        print_json(tally.document())
    else:
        if json_file:
            import json

            Path(json_file).write_text(json.dumps(tally.document(), indent=2) + "\n")
        tally.show(Screen())
    return tally.exit_status


def _verify(paths: Sequence[Path], chosen: Chosen, jobs: int, *, marks: bool) -> Tally:
    corpus = choose(paths, chosen)
    if not corpus.jobs and not corpus.unusable:
        listed = ", ".join(f"{count} of {name}" for name, count in corpus.skipped.items())
        raise RecordingNotFound(
            f"none of these recordings is of what was asked for ({listed}): give the service"
            " with --service, or another --app"
        )
    began = time.monotonic()
    marked = 0
    with progress("replaying", len(corpus.jobs)) as step:

        def done(document: dict[str, Any]) -> None:
            nonlocal marked
            marked += marks and mark(document)
            step()

        documents = replay_all(corpus.jobs, at_once=jobs, done=done)
    if marks:
        note(f"{marked} newly marked as verified")
    return Tally(
        documents=[*documents, *corpus.unusable],
        skipped=corpus.skipped,
        rules=chosen.ignore,
        mode=chosen.mode,
        isolate=chosen.isolate,
        jobs=min(jobs, max(1, len(corpus.jobs))),
        took_s=time.monotonic() - began,
    )
