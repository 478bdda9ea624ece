"""The command `keep`: marks recordings, so that nothing deletes them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from retrace_core.audit import audit, who
from retrace_core.cli.cataloged import opened_store
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import Screen, print_json
from retrace_core.cli.stored import find_stored
from retrace_core.cli.words import local_time, plural
from retrace_core.retention import lift, mark, marks_of
from retrace_core.setting_rows.amount import parse_span
from retrace_core.settings import resolve

if TYPE_CHECKING:
    from retrace_core.retention import Mark
    from retrace_core.store import Store

__all__ = ["command"]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType


class Until(_ParamType):
    """A time to come: "90d" from now, or a date."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in Unix nanoseconds."""
        if isinstance(value, int):
            return value
        now_ns = time.time_ns()
        span_ns = parse_span(value)
        if span_ns:
            return now_ns + span_ns
        try:
            found = int(datetime.fromisoformat(value).timestamp() * 1e9)
        except (ValueError, OverflowError):
            found = 0
        if found <= now_ns:
            self.fail(f"{value!r} is no time to come: use 90d, or 2030-01-31", param, ctx)
        return found


@click.command(
    name="keep",
    short_help="Mark recordings, so that nothing deletes them.",
    epilog="""\b
Examples:
  retrace keep 6a5b04 --until 90d --reason 'ticket 812'
  retrace keep 6a5b04/storefront --hold --reason 'case 7'
  retrace keep --list
  retrace keep 6a5b04 --release
""",
)
@click.argument("recordings_given", metavar="RECORDING...", nargs=-1)
@click.option("--until", metavar="TIME", type=Until(), default=0, help="Not for ever: 90d, a date.")
@click.option("--hold", is_flag=True, help="Legal hold: not even `retrace erase` deletes it.")
@click.option("--reason", metavar="TEXT", default="", help="Why; it is shown, and audited.")
@click.option("--release", is_flag=True, help="Take the marks off; with --hold: the holds.")
@click.option("--list", "listing", is_flag=True, help="List all marks of the store.")
@click.option("--json", "as_json", is_flag=True, help="The list as one JSON array.")
@recordings_option
def command(
    recordings_given: tuple[str, ...],
    until: int,
    hold: bool,
    reason: str,
    release: bool,
    listing: bool,
    as_json: bool,
    recordings: str | None,
) -> int:
    """Mark recordings: `retrace prune` never deletes them.

    RECORDING is a trace id or the beginning of one, or TRACE/SERVICE. A trace means all of its
    recordings that are there now. A mark is in the store, so it holds for whoever prunes; a cloud's
    own lifecycle rules know nothing of it. A legal hold also withstands `retrace erase`.
    """
    if listing == bool(recordings_given):
        raise click.UsageError("give RECORDING, or --list")
    if release and (until or reason):
        raise click.UsageError("--release takes marks off: it has no --until and no --reason")
    settings = resolve()
    store = opened_store(recordings)
    if listing:
        return _list(store, as_json)
    paths = [one.path for text in recordings_given for one in find_stored(store, text)]
    what = "hold" if hold else "keep"
    action = f"release {what}" if release else what
    audit(store, action, paths, setting=settings.audit, reason=reason, until_ns=until)
    if release:
        lifted = sum(lift(store, path, holds=hold) for path in paths)
        Screen().line(f"{plural(lifted, 'mark')} taken off {plural(len(paths), 'recording')}")
        return 0
    for path in paths:
        mark(store, path, hold=hold, until_ns=until, reason=reason, by=who())
        Screen().line(f"{'held' if hold else 'kept'} {_span(until)}: {path}")
    return 0


def _list(store: Store, as_json: bool) -> int:
    found = sorted(marks_of(store), key=lambda one: (one.path, one.made_ns))
    if as_json:
        print_json([{name: getattr(one, name) for name in one.__struct_fields__} for one in found])
        return 0
    now_ns = time.time_ns()
    if found:
        Screen().table(
            ("RECORDING", "MARK", "UNTIL", "BY", "MADE", "REASON"),
            [_row(one, now_ns) for one in found],
            folding=("RECORDING", "REASON"),
        )
    return 0


def _row(one: Mark, now_ns: int) -> list[str]:
    until = "for good" if not one.until_ns else local_time(one.until_ns)
    if not one.in_force(now_ns):
        until += " (over)"
    made = local_time(one.made_ns) if one.made_ns else "?"
    return [one.path, "hold" if one.hold else "keep", until, one.by, made, one.reason]


def _span(until_ns: int) -> str:
    return f"until {local_time(until_ns)}" if until_ns else "for good"
