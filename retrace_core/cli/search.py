"""The command `find`: recordings by what is known of them, from the catalog."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.amounts import Size, Span, TagPair
from retrace_core.cli.cataloged import freshen, open_catalog, opened_store
from retrace_core.cli.filters import (
    path_option,
    since_option,
    status_option,
    trace_option,
    until_option,
)
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import Cell, Screen, print_json, visible
from retrace_core.cli.words import cut, duration, local_time, outcome_words, size
from retrace_core.tags import tag_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.catalog import Entry

__all__ = ["command", "entry_document"]


@click.command(
    name="find",
    short_help="Find recordings among millions, by the catalog.",
    epilog="""\b
Examples:
  retrace find --service storefront --route '/orders/*' --status 5xx --since 1h
  retrace find --exception KeyError --slower 1s --tag user=42
  retrace find --tag tenant=acme --jsonl | jq -r .path
""",
)
@click.option("--service", metavar="GLOB", default="", help="Only services called so.")
@click.option(
    "--route", metavar="GLOB", default="", help="Only routes, as the framework spells them."
)
@path_option
@click.option("--method", metavar="NAME", default="", help="Only this method, or TASK.")
@status_option
@click.option(
    "--exception", metavar="GLOB", default="", help="Its class, with or without the module."
)
@click.option("--slower", metavar="SPAN", type=Span(), default=0, help="Took so long: 250ms, 2s.")
@click.option("--larger", metavar="SIZE", type=Size(), default=0, help="Of such a size: 1MB.")
@click.option(
    "--tag", "tags", metavar="NAME=VALUE", type=TagPair(), multiple=True, help="Tagged so; each."
)
@click.option(
    "--decision", metavar="GLOB", default="", help="Why it was kept: yes, tail, or the decider."
)
@trace_option
@since_option
@until_option
@click.option("--unreadable", is_flag=True, help="Those that can't be read, and no others.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="At most so many, the newest.",
)
@click.option("--after", metavar="CURSOR", default="", help="The page after one that ended there.")
@click.option(
    "--update/--no-update",
    "freshened",
    default=None,
    help="Bring the catalog up to date first, or don't. Default: where that takes a moment.",
)
@click.option("--json", "form", flag_value="json", help="One JSON array.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object on each line.")
@recordings_option
def command(
    limit: int,
    after: str,
    freshened: bool | None,
    form: str | None,
    recordings: str | None,
    **asked: Any,
) -> int:
    """Find recordings by what is known of them, newest first; all that is given must hold.

    In a GLOB "*" stands for any text. The catalog is asked, and not the files: `retrace catalog`.
    """
    store = opened_store(recordings)
    catalog = open_catalog(store)
    from retrace_core.catalog import Search, page

    freshen(store, catalog, freshened)
    search = Search(
        trace=asked["trace"],
        service=asked["service"],
        route=asked["route"],
        path=asked["path"],
        method=asked["method"],
        status=asked["status"] or "",
        error=asked["exception"],
        decision=asked["decision"],
        tags=asked["tags"],
        slower_ns=asked["slower"],
        larger_bytes=asked["larger"],
        since_ns=asked["since"],
        until_ns=asked["until"],
        unreadable=asked["unreadable"],
    )
    found = page(catalog, search, limit=limit + 1, after=after)
    more, found = len(found) > limit, found[:limit]
    if form == "json":
        print_json([entry_document(one) for one in found])
    elif form == "jsonl":
        for one in found:
            click.echo(json.dumps(entry_document(one)))
    else:
        _show(found)
    if not found:
        Screen(err=True).line("no recordings match; retrace catalog status tells of how many")
    elif more:
        Screen(err=True).line(f"there are more: --after {found[-1].cursor}")
    return 0


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain JSON values."""
    names = (
        "path folder service trace_id span_id method request_path route status error failed verdict"
        " decider started_ns duration_ns size_bytes modified_ns boot unreadable cursor"
    )
    found = {name: getattr(entry, name) for name in names.split()}
    found["started"] = local_time(entry.started_ns, precise=True)
    found["tags"] = dict(entry.tags)
    return found


def _show(found: list[Entry]) -> None:
    if not found:
        return
    Screen().table(
        ("WHEN", "RECORDING", "REQUEST", "ROUTE", "OUTCOME", "TOOK", "SIZE", "TAGS", "WHY"),
        [list(_row(one)) for one in found],
        folding=("RECORDING", "REQUEST", "TAGS"),
        droppable=("WHY", "SIZE", "ROUTE", "TOOK", "WHEN"),
    )


def _row(one: Entry) -> Iterator[Cell]:
    yield local_time(one.started_ns)
    yield one.path.removesuffix("/trace.bin")
    if one.unreadable:
        yield (cut(visible(one.unreadable), 100), "yellow")
    else:
        yield f"{one.method} {cut(visible(one.request_path), 60)}"
    yield cut(visible(one.route), 40)
    outcome = outcome_words(one.method, one.status, one.error)
    yield ("unreadable" if one.unreadable else outcome, "red" if one.failed else "green")
    yield duration(one.duration_ns / 1e3)
    yield size(one.size_bytes)
    yield tag_words(one.tags)
    yield (f"{one.verdict}: {one.decider}".strip(": "), "dim")
