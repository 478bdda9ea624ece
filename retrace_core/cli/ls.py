"""The command `ls`: find recordings, newest first, from their headers alone."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.cataloged import listed
from retrace_core.cli.find import recordings_folder, recordings_option
from retrace_core.cli.listing import Listed, Wanted, newest
from retrace_core.cli.screen import Cell, Screen, print_json, visible
from retrace_core.cli.words import cut, duration, local_time, size
from retrace_core.store import open_store
from retrace_core.store.verified import read_mark
from retrace_core.task_call import METHOD as TASK
from retrace_core.task_call import TASK_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.recording import Header

__all__ = ["command"]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d|error", re.IGNORECASE)


class Moment(_ParamType):
    """A point in time: "90s", "30m", "1h", "2d", "1w" ago, or a date and time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in Unix nanoseconds."""
        if isinstance(value, int):
            return value
        ago = _AGO.fullmatch(value)
        if ago is not None:
            return time.time_ns() - int(float(ago[1]) * _UNITS_S[ago[2]] * 1e9)
        try:
            return int(datetime.fromisoformat(value).timestamp() * 1e9)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: use 90s, 30m, 1h, 2d or 2026-01-31T12:00", param, ctx)


class Status(_ParamType):
    """A class of statuses ("5xx"), one status ("404"), or "error"."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it in lower case."""
        if _STATUS.fullmatch(value) is None:
            self.fail(f"{value!r} is no status: use 5xx, 500 or error", param, ctx)
        return str(value).lower()


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
@click.option("--trace", metavar="ID", default="", help="Only this trace, or those that begin so.")
@click.option(
    "--since", metavar="TIME", type=Moment(), default=0, help="Not older: 90s, 1h, 2d, or a date."
)
@click.option("--until", metavar="TIME", type=Moment(), default=1 << 63, help="Not newer.")
@click.option("--service", metavar="NAME", default="", help="Only this service.")
@click.option(
    "--status",
    metavar="STATUS",
    type=Status(),
    default=None,
    help="5xx, 500, or error: failed or 5xx.",
)
@click.option("--path", metavar="GLOB", default="", help="Only requests whose path matches.")
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
    failed = bool(header.error) or header.status >= 500
    yield local_time(header.started_ns)
    yield one.stored.folder[:width]
    yield header.service
    yield f"{header.method} {cut(visible(header.path), 60)}"
    yield (outcome_words(header), "red" if failed else "green")
    yield duration(header.duration_ns / 1e3)
    yield f"{header.events}{' (cut)' if header.cut else ''}{' (holes)' if header.holes else ''}"
    yield size(one.stored.size_bytes)
    mark = read_mark(Path(root, one.stored.path), header.span_id)
    yield (mark.commit[:8] or "yes" if mark else "", "green")
    yield (cut(header.decision.reason, 50), "dim")


def outcome_words(header: Header) -> str:
    """Return the status and the name of the exception, if there was one; of a task in words."""
    if header.method == TASK:
        status = TASK_WORDS.get(header.status, str(header.status))
    else:
        status = str(header.status) if header.status else "no response"
    return f"{status} {header.error.rsplit('.', 1)[-1]}".rstrip()


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
