"""The command `prune`: deletes what the policy of retention lets go, with a receipt for each."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

import click

from retrace_core.audit import audit
from retrace_core.cli.amounts import Span
from retrace_core.cli.cataloged import all_entries, opened_store
from retrace_core.cli.deletions import carry_out, would_go
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import note
from retrace_core.cli.words import plural
from retrace_core.errors import RetraceError
from retrace_core.retention import (
    LEAST_AGE_NS,
    Marks,
    choose,
    policy_of,
    unused_boot_tapes,
)
from retrace_core.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.catalog import Entry
    from retrace_core.retention import Policy
    from retrace_core.settings import Settings

__all__ = ["command"]


@click.command(
    name="prune",
    short_help="Delete what retention lets go.",
    epilog="""\b
Examples:
  retrace prune --older 30d --failures-older 90d --dry-run
  retrace prune --bytes 50GB --per-route 1000 --tag tenant=acme:365d
  retrace prune --every 1h >> /var/log/retrace-receipts.jsonl
""",
)
@click.option("--older", metavar="AGE", default="", help="Recordings kept longer ago: 30d.")
@click.option("--failures-older", metavar="AGE", default="", help="The same for failures.")
@click.option(
    "--tag",
    "tags",
    metavar="NAME=VALUE:AGE",
    multiple=True,
    help="The same for those with a tag, whatever else is said; * for any value, forever.",
)
@click.option("--bytes", "most", metavar="SIZE", default="", help="All together: 50GB.")
@click.option(
    "--per-route", metavar="N", type=click.IntRange(0), help="The newest that stay of each route."
)
@click.option(
    "--failures-per-route", metavar="N", type=click.IntRange(0), help="The same for failures."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option("--every", metavar="SPAN", type=Span(), help="Go on and on, with such a pause.")
@click.option("--quiet", is_flag=True, help="Print no receipts; they are in the store too.")
@recordings_option
def command(
    older: str,
    failures_older: str,
    tags: tuple[str, ...],
    most: str,
    per_route: int | None,
    failures_per_route: int | None,
    dry_run: bool,
    every: int | None,
    quiet: bool,
    recordings: str | None,
) -> int:
    """Delete recordings by age, size and count; the settings RETRACE_RETENTION_* are the defaults.

    Each deletion is a line of JSON on standard output, and below .receipts/ in the store. What
    `retrace keep` has marked stays. Boot tapes go when no recording refers to them, and they are
    as old as any recording may become, a week at least.
    """
    settings = resolve()
    policy = policy_of(
        settings,
        age=older,
        failures_age=failures_older,
        tags=tags,
        size=most,
        per_route=per_route,
        failures_per_route=failures_per_route,
    )
    if not policy:
        raise click.UsageError(
            "nothing says what may go: give --older 30d, --bytes 50GB or the settings"
            " RETRACE_RETENTION_*; nothing was deleted"
        )
    if every is None:
        return _prune(settings, policy, recordings, dry_run=dry_run, quiet=quiet)
    while True:
        try:
            _prune(settings, policy, recordings, dry_run=dry_run, quiet=quiet)
        except RetraceError as error:  # the next time it may be there again
            note(str(error))
        threading.Event().wait(every / 1e9)


def _prune(
    settings: Settings, policy: Policy, recordings: str | None, *, dry_run: bool, quiet: bool
) -> int:
    store = opened_store(recordings)
    now_ns = time.time_ns()
    marks = Marks(store, now_ns)
    catalog, entries = all_entries(store, {rule.name for rule in policy.tag_rules})
    referred: dict[str, int] = {}

    def seen() -> Iterator[Entry]:
        for entry in entries:
            if entry.boot:
                referred[entry.boot] = referred.get(entry.boot, 0) + 1
            yield entry

    gc.disable()  # a million small objects and no cycle: looking for some doubles the time
    try:
        gone = choose(seen(), policy, now_ns=now_ns, is_kept=marks.is_kept)
    finally:
        gc.enable()
    for one in gone:
        if one.boot:
            referred[one.boot] -= 1
    needed = {boot for boot, times in referred.items() if times}
    if policy.longest_ns:
        before_ns = now_ns - max(policy.longest_ns, LEAST_AGE_NS)
        gone += unused_boot_tapes(store, needed, older_than_ns=before_ns)
    if dry_run:
        return would_go(gone, len(marks))
    if not gone:
        note(f"nothing has to go; {plural(len(marks), 'recording')} marked")
        return 0
    audit(store, "prune", [one.path for one in gone], setting=settings.audit)
    return carry_out(store, gone, catalog, quiet=quiet)
