"""The command `ls`: find recordings, newest first, from their headers alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.cataloged import listed
from retrace_core.cli.filters import (
    path_option,
    since_option,
    status_option,
    trace_option,
    until_option,
)
from retrace_core.cli.find import recordings_folder, recordings_option
from retrace_core.cli.listing import Listed, Wanted, newest
from retrace_core.cli.screen import Cell, Screen, print_json, visible
from retrace_core.cli.words import cut, duration, local_time, outcome_words, size
from retrace_core.store import open_store
from retrace_core.store.verified import read_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.recording import Header

__all__ = ["command"]


@click.command(
    name="ls",
    short_help="Find recordings, newest first.",
    epilog="""\b
Examples:
  retrace ls --since 1h --status 5xx
  retrace ls --service storefront --path '/orders/*' --limit 20
  retrace ls --trace 6a5b04 --json
""",
)
@trace_option
@since_option
@until_option
@click.option("--service", metavar="NAME", default="", help="Only this service.")
@status_option
@path_option
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help="At most so many, the newest."
)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object on each line.")
@recordings_option
def command(
    trace: str,
    since: int,
    until: int,
    service: str,
    status: str | None,
    path: str,
    limit: int | None,
    form: str | None,
    recordings: str | None,
) -> int:
    """List recordings, newest first.

    Files that can't be read are listed last, each with the reason.
    """
    root = recordings_folder(recordings)
    wanted = Wanted(
        trace=trace,
        service=service,
        since_ns=since,
        until_ns=until,
        status=status or "",
        path=path,
    )
    store = open_store(root, setting="--recordings")
    found = listed(store, wanted, limit)
    if found is None:
        found = newest(store, wanted, limit)
    if form == "json":
        print_json([_plain(one, root) for one in found])
    elif form == "jsonl":
        for one in found:
            click.echo(_json_line(_plain(one, root)))
    else:
        _show(found, root)
    return 0


def _show(found: list[Listed], root: str) -> None:
    screen = Screen()
    readable = [one for one in found if one.header is not None]
    if readable:
        columns = (
            "WHEN",
            "TRACE",
            "SERVICE",
            "REQUEST",
            "OUTCOME",
            "TOOK",
            "EVENTS",
            "SIZE",
            "VERIFIED",
            "WHY",
        )
        width = _id_width(readable)
        screen.table(
            columns,
            [list(_row(one, width, root)) for one in readable],
            folding=("REQUEST",),
            droppable=("WHY", "SIZE", "VERIFIED", "EVENTS", "TOOK", "WHEN"),
        )
    locked = [one for one in found if one.locked]
    if locked:
        screen.table(("WRITTEN", "TRACE", "SERVICE", "SIZE", ""), map(_locked_row, locked))
        Screen(err=True).line(
            f"{len(locked)} encrypted; --identity FILE reads what is encrypted to that key", "dim"
        )
    for one in found:
        if one.header is None and not one.locked:
            screen.line(f"unreadable  {one.reason}", "yellow")
    if not found:
        Screen(err=True).line(f"no recordings in {root} that match; retrace doctor tells why")


def _locked_row(one: Listed) -> list[Cell]:
    """Return what can be told of a recording from outside."""
    stored = one.stored
    written = local_time(stored.modified_ns)
    return [written, stored.folder, stored.service, size(stored.size_bytes), ("encrypted", "cyan")]


def _id_width(found: list[Listed]) -> int:
    """Return how many characters tell the traces apart, 8 at least."""
    names = {one.stored.folder for one in found}
    width = 8
    while width < 128 and len({name[:width] for name in names}) < len(names):
        width += 4
    return width


def _row(one: Listed, width: int, root: str) -> Iterator[Cell]:
    header = one.header
    assert header is not None
    yield local_time(header.started_ns)
    yield one.stored.folder[:width]
    yield header.service
    yield f"{header.method} {cut(visible(header.path), 60)}"
    yield (
        outcome_words(header.method, header.status, header.error),
        "red" if header.failed else "green",
    )
    yield duration(header.duration_ns / 1e3)
    yield f"{header.events}{' (cut)' if header.cut else ''}{' (holes)' if header.holes else ''}"
    yield size(one.stored.size_bytes)
    mark = read_mark(Path(root, one.stored.path), header.span_id)
    yield (mark.commit[:8] or "yes" if mark else "", "green")
    yield (cut(header.decision.reason, 50), "dim")


def _plain(one: Listed, root: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        "file": f"{root}/{one.stored.path}",
        "trace": one.stored.folder,
        "service": one.stored.service,
        "size_bytes": one.stored.size_bytes,
    }
    header = one.header
    if header is None and one.locked:
        written = local_time(one.stored.modified_ns, precise=True)
        return {**place, "encrypted": True, "written": written}
    if header is None:
        return {**place, "unreadable": one.reason}
    return {
        **place,
        "trace_id": header.trace_id,
        "span_id": header.span_id,
        "parent_span_id": header.parent_span_id,
        "started": local_time(header.started_ns, precise=True),
        "started_ns": header.started_ns,
        "duration_ns": header.duration_ns,
        "method": header.method,
        "path": header.path,
        "status": header.status,
        "error": header.error,
        "events": header.events,
        "cut": header.cut,
        "tainted": header.tainted,
        "holes": header.holes,
        "verified": _verified(Path(place["file"]), header),
        "decision": {
            "verdict": header.decision.verdict,
            "decider": header.decision.decider,
            "reason": header.decision.reason,
        },
    }


def _verified(path: Path, header: Header) -> dict[str, Any] | None:
    mark = read_mark(path, header.span_id)
    return (
        None
        if mark is None
        else {
            "at": local_time(mark.verified_ns, precise=True),
            "commit": mark.commit,
            "app": mark.app,
        }
    )


def _json_line(value: dict[str, Any]) -> str:
    import json

    return json.dumps(value, ensure_ascii=True)
