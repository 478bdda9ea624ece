"""The command `show`: one recording to read, from the request to the response."""

from __future__ import annotations

from itertools import dropwhile
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.bodies import readable
from retrace_core.cli.conversation import conversation_document, show_conversation
from retrace_core.cli.document import document, plain
from retrace_core.cli.find import find, recording_argument, recordings_option
from retrace_core.cli.flags import show_flags
from retrace_core.cli.holes import advice, show_holes
from retrace_core.cli.masking import masked
from retrace_core.cli.redacted import masked_words
from retrace_core.cli.screen import Cell, Screen, note, print_json
from retrace_core.cli.timeline import rows
from retrace_core.cli.words import cut, duration, local_time, outcome_words, plural, size
from retrace_core.conversation import WEBSOCKET
from retrace_core.errors import TornRecording
from retrace_core.flags import evaluations
from retrace_core.program import command_of
from retrace_core.store.verified import read_mark
from retrace_core.tags import tag_words
from retrace_core.task_call import PROTOCOL
from retrace_core.trace_file import load, recover

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core.cli.timeline import Row
    from retrace_core.recording import Failure, Frame, Headers, Recording

__all__ = ["command", "traceback_lines"]

_BODY_CHARACTERS = 2000


@click.command(
    name="show",
    short_help="Read one recording, from the request to the response.",
    epilog="""\b
Examples:
  retrace show recordings/6a5b04.../storefront/trace.bin
  retrace show 6a5b04/storefront --events hard
  retrace show 6a5b04 --json | jq '.[0].failure'
""",
)
@recording_argument()
@click.option(
    "--events",
    type=click.Choice(["all", "hard", "none"]),
    default="all",
    show_default=True,
    help="Hard: without the reads of clocks and entropy.",
)
@click.option("--lane", metavar="ID", default="", help="Only one thread or task; 0 is the request.")
@click.option("--full", is_flag=True, help="Cut nothing.")
@click.option("--reveal", is_flag=True, help="Show sensitive headers, which are masked else.")
@click.option("--recover", "torn", is_flag=True, help="Show what is readable of a torn file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, nothing cut.")
@recordings_option
def command(
    recording: str,
    events: str,
    lane: str,
    full: bool,
    reveal: bool,
    torn: bool,
    as_json: bool,
    recordings: str | None,
) -> int:
    """Show a recording: the request, the decision, the events, the response.

    RECORDING is the path of a trace file, the folder of a trace, a trace id or the beginning
    of one (6 characters or more), or TRACE/SERVICE.
    """
    paths = find(recording, recordings)
    loaded = [_load(path, recover_torn=torn) for path in paths]
    shown = [
        (path, one if reveal else masked(one)) for path, one in zip(paths, loaded, strict=True)
    ]
    if as_json:
        print_json([{"file": str(path), **_document(one, events, lane)} for path, one in shown])
        return 0
    screen = Screen()
    for place, (path, one) in enumerate(shown):
        if place:
            screen.line()
        _show(screen, path, one, events=events, lane=lane, full=full)
    return 0


def _load(path: Path, *, recover_torn: bool) -> Recording:
    if not recover_torn:
        return load(path)
    recording, torn = recover(path)
    if recording is None:
        raise torn or TornRecording(f"{path} has nothing readable; fetch it again")
    if torn is not None:
        note(str(torn))
    return recording


def _document(recording: Recording, events: str, lane: str) -> dict[str, Any]:
    found = document(recording, soft=events == "all", lane=lane)
    found["flags"] = [
        {
            "name": one.name,
            "value": plain(one.value),
            "variation": one.variation,
            "reason": one.reason,
            "call": one.kind,
            "lane": one.lane,
        }
        for one in evaluations(recording)
    ]
    if recording.request.protocol == WEBSOCKET:
        found["conversation"] = conversation_document(recording)
    found["holes"] = [{**plain(one), "advice": advice(one)} for one in recording.holes]
    if events == "none":
        del found["lanes"]
    return found


def _show(
    screen: Screen, path: Path, recording: Recording, *, events: str, lane: str, full: bool
) -> None:
    header, limit = recording.header, None if full else _BODY_CHARACTERS
    screen.spans(
        (f"{header.service}  {header.method} {header.path}  ", "bold"),
        (
            outcome_words(header.method, header.status, header.error),
            "red" if header.failed else "green",
        ),
        f"  {duration(header.duration_ns / 1e3)}",
    )
    screen.pairs(_facts(path, recording))
    _show_message(screen, "Request", _request_line(recording), recording.request.headers)
    _show_body(screen, recording.request.body, recording.request.headers, limit)
    if recording.request.body_cut:
        screen.line(f"  cut: the body had {size(recording.request.body_bytes)}", "yellow")
    show_flags(screen, recording, full=full)
    show_conversation(screen, recording, full=full)
    show_holes(screen, recording)
    if events != "none":
        _show_events(screen, recording, soft=events == "all", lane=lane, full=full)
    _show_response(screen, recording, limit)
    if recording.failure is not None:
        screen.heading("Exception")
        for line in traceback_lines(recording.failure):
            screen.line(f"  {line}".rstrip())


def _facts(path: Path, recording: Recording) -> Iterator[tuple[str, str]]:
    header, made = recording.header, recording.header.environment
    yield "file", f"{path} ({size(path.stat().st_size)})"
    yield "trace", header.folder or header.trace_id
    if header.folder not in ("", header.trace_id):
        yield "trace id", header.trace_id
    if header.given_trace_id:
        yield "given X-Trace-ID", f"{cut(header.given_trace_id, 200)!r} (not safe as a name)"
    yield (
        "span",
        header.span_id + (f", called by {header.parent_span_id}" if header.parent_span_id else ""),
    )
    yield "when", local_time(header.started_ns, precise=True)
    yield "why", f"{header.decision.verdict}: {header.decision.reason} ({header.decision.decider})"
    if header.route:
        yield "route", header.route
    if masked := masked_words(recording):
        yield "masked", masked
    if header.tags:
        yield "tags", tag_words(header.tags)
    app = made.app or ("of its program" if made.program else "unknown")
    yield "app", f"{app} in {made.app_dir or 'an unknown folder'}"
    if made.program is not None:
        yield "program", f"{command_of(made.program)} in {made.program.folder}"
    commit = f", commit {made.commit[:12]}" if made.commit else ""
    yield (
        "process",
        f"Python {made.python} on {made.host or 'an unnamed host'}, pid {made.pid}{commit}",
    )
    if header.boot:
        yield "boot tape", header.boot
    mark = read_mark(path, header.span_id)
    if mark is not None:
        code = f" at commit {mark.commit[:12]}" if mark.commit else ""
        yield "verified", f"replayed identical on {local_time(mark.verified_ns)}{code}"
    if header.cut:
        yield "cut", "it reached its size limit and misses its end (RETRACE_RECORDING_LIMIT_BYTES)"
    if header.holes:
        yield "not covered", f"{plural(header.holes, 'thing')} past all boundaries, see below"
    if header.tainted:
        yield "tainted", "a value could not be recorded, so that replay may differ there"


def _request_line(recording: Recording) -> str:
    request = recording.request
    if request.protocol == PROTOCOL:
        return f"{request.method} {request.path} of {request.scheme}, id {request.extra.get('id')}"
    query = f"?{request.query.decode('latin-1')}" if request.query else ""
    return f"{request.method} {request.root_path}{request.path}{query} HTTP/{request.http_version}"


def _show_message(screen: Screen, title: str, line: str, headers: Headers) -> None:
    screen.heading(title)
    screen.line(f"  {line}")
    for name, value in headers:
        screen.spans((f"  {name}: ", "dim"), value)


def _show_body(screen: Screen, chunks: list[bytes], headers: Headers, limit: int | None) -> None:
    body = b"".join(chunks)
    if not body:
        return
    text, remark = readable(body, headers, limit=limit)
    screen.line()
    if text:
        screen.block(text, indent="  ")
    screen.line(f"  [{remark}]", "dim")


def _show_response(screen: Screen, recording: Recording, limit: int | None) -> None:
    response = recording.response
    if response is None:
        screen.heading("Response")
        task = recording.request.protocol == PROTOCOL
        screen.line("  none: the task raised" if task else "  none was begun")
        return
    _show_message(screen, "Response", f"{response.status} {response.reason}", response.headers)
    _show_body(screen, response.body, response.headers, limit)
    if response.body_cut:
        screen.line(f"  cut: the body had {size(response.body_bytes)}", "yellow")
    if not response.complete:
        screen.line(f"  ended early, after {plural(response.chunks, 'chunk')}", "yellow")


def _show_events(
    screen: Screen, recording: Recording, *, soft: bool, lane: str, full: bool
) -> None:
    lanes = {one.id: one for one in recording.lanes}
    listed = list(rows(recording, soft=soft, lane=lane, full=full))
    in_words = f"{plural(recording.header.events, 'event')} in {plural(len(lanes), 'lane')}"
    screen.heading(f"Events ({in_words})")
    if not listed:
        screen.line("  none" if lane in ("", *lanes) else f"  there is no lane {lane}")
        return
    screen.table(
        ("  AT", "TOOK", "LANE", "CALL", "ASKED", "ANSWERED"),
        map(_cells, listed),
        folding=("ASKED", "ANSWERED"),
        droppable=("TOOK", "LANE") if len(lanes) < 2 else ("TOOK",),
    )
    for one in recording.lanes:
        if not one.complete and lane in ("", one.id):
            screen.line(
                f"  lane {one.id} was still running when the recording was sealed", "yellow"
            )


def _cells(row: Row) -> list[Cell]:
    style = "red" if row.failed else "dim" if row.soft else ""
    return [
        ("  " if row.started_us is None else f"  +{duration(row.started_us)}", "dim"),
        ("" if row.duration_us is None else duration(row.duration_us), "dim"),
        (row.lane, style),
        (row.kind, style or "cyan"),
        (row.asked, style),
        (row.answered, style),
    ]


def _is_ours(frame: Frame) -> bool:
    parts = frame.file.replace("\\", "/").split("/")
    return "retrace_mw" in parts or "retrace_core" in parts


def traceback_lines(failure: Failure) -> Iterator[str]:
    """Yield an exception as Python prints it, its causes first."""
    if failure.cause is not None:
        yield from traceback_lines(failure.cause)
        yield ""
        yield (
            "During handling of the above exception, another exception occurred:"
            if failure.cause_is_context
            else "The above exception was the direct cause of the following exception:"
        )
        yield ""
    yield "Traceback (most recent call last):"
    for frame in dropwhile(_is_ours, failure.frames):
        yield f'  File "{frame.file}", line {frame.line}, in {frame.function}'
        if frame.source:
            yield f"    {frame.source}"
    name = failure.type.removeprefix("builtins.")
    yield f"{name}: {failure.message}" if failure.message else name
