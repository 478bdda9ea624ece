"""The command `catalog`: the index by which recordings are found, filled and made anew."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from retrace_core.cli.cataloged import open_catalog, opened_store
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import Screen, print_json, progress
from retrace_core.cli.words import local_time, plural, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.catalog import Catalog, Indexed
    from retrace_core.store import Store

__all__ = ["command"]


@click.group(
    name="catalog",
    short_help="Fill the index by which recordings are found.",
    epilog="""\b
Examples:
  retrace catalog update                      what is new; for cron
  retrace catalog rebuild --recordings DIR    all of it, from nothing
  retrace catalog status
""",
)
def command() -> None:
    """Fill, rebuild and inspect the catalog, the index that `retrace find` asks.

    It is in the database that the setting RETRACE_CATALOG names; by default in a file beside the
    recordings. It is never the truth: what is lost of it comes back from the store.
    """


@command.command(name="update", short_help="Put in what is new.")
@click.option("--full", is_flag=True, help="Look at everything, and take out what is gone.")
@recordings_option
def update_command(full: bool, recordings: str | None) -> int:
    """Put what is new in the store into the catalog.

    Of a store in a cloud only what was kept since the last time is looked at, and an hour before
    it; --full looks at everything, tries unreadable files again, and takes out what is gone.
    """
    from retrace_core.catalog import update

    def fill(store: Store, catalog: Catalog, step: Callable[[], None]) -> Indexed:
        return update(store, catalog, full=full, again=full, step=step)

    return _filled(fill, recordings)


@command.command(name="rebuild", short_help="Make it anew from the store.")
@recordings_option
def rebuild_command(recordings: str | None) -> int:
    """Empty the catalog, and fill it from the headers of all recordings of the store."""
    from retrace_core.catalog import rebuild

    def fill(store: Store, catalog: Catalog, step: Callable[[], None]) -> Indexed:
        return rebuild(store, catalog, step=step)

    return _filled(fill, recordings)


@command.command(name="status", short_help="What it holds, and of when.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@recordings_option
def status_command(as_json: bool, recordings: str | None) -> int:
    """Say where the catalog is, how many recordings it holds, and how old it is."""
    catalog = open_catalog(opened_store(recordings))
    updated = catalog.fact("updated_ns")
    count, total = len(catalog), catalog.total_bytes()
    if as_json:
        print_json(
            {
                "catalog": catalog.place,
                "store": catalog.store_url,
                "recordings": count,
                "size_bytes": total,
                "updated_ns": int(updated) if updated else None,
            }
        )
        return 0
    Screen().pairs(
        [
            ("catalog", catalog.place),
            ("store", catalog.store_url),
            ("recordings", f"{count:,} ({size(total)})"),
            ("updated", local_time(int(updated)) if updated else "never: retrace catalog update"),
        ],
        indent="",
    )
    return 0


def _filled(
    fill: Callable[[Store, Catalog, Callable[[], None]], Indexed], recordings: str | None
) -> int:
    store = opened_store(recordings)
    catalog = open_catalog(store)
    begun = time.monotonic()
    # How many there are is known when they have been listed; the bar only moves.
    with progress("reading headers", None) as step:
        done = fill(store, catalog, step)
    took = time.monotonic() - begun
    gone = f", {done.removed:,} gone" if done.removed else ""
    bad = f", {done.unreadable:,} of them unreadable" if done.unreadable else ""
    rate = f", {done.seen / took:,.0f} a second" if done.seen >= 1000 else ""
    Screen().line(
        f"{plural(done.added, 'recording')} added{bad}{gone}; {done.seen:,} looked at in"
        f" {took:.1f} s{rate}"
    )
    return 0
