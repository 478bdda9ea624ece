"""The command `erase`: deletes every recording with a tag, as a right to erasure asks."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import click

from retrace_core.audit import audit
from retrace_core.boot.recording import METHOD
from retrace_core.cli.amounts import TagPair
from retrace_core.cli.cataloged import all_entries, opened_store
from retrace_core.cli.deletions import carry_out, would_go
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import note
from retrace_core.cli.words import plural
from retrace_core.ids import names_boot_tape
from retrace_core.retention import Condemned, Marks, unused_boot_tapes
from retrace_core.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.catalog.entry import Entry
    from retrace_core.store import Store

__all__ = ["command"]


@click.command(
    name="erase",
    short_help="Delete every recording with a tag.",
    epilog="""\b
Examples:
  retrace erase --tag user=u-4711 --dry-run
  retrace erase --tag user=u-4711 > receipts.jsonl
""",
)
@click.option(
    "--tag",
    "tags",
    metavar="NAME=VALUE",
    type=TagPair(),
    multiple=True,
    required=True,
    help="Those that have it; of several tags, those that have any.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@recordings_option
def command(tags: tuple[tuple[str, str], ...], dry_run: bool, recordings: str | None) -> int:
    """Delete every recording of the store with a tag, whatever retention and keep marks say.

    Boot tapes that only these recordings refer to go too. What is under legal hold stays. Exit
    status 1: something under hold, or something that can't be read and so may have the tag, is
    left. Receipts name the tag, and of its value a digest. Recordings that are still on their way
    (in a spool, in a process) are not in the store yet: erase again when they have come.
    """
    settings = resolve()
    store = opened_store(recordings)
    now_ns = time.time_ns()
    marks = Marks(store, now_ns)
    catalog, entries = all_entries(store, {name for name, _ in tags}, again=True)
    wanted = set(tags)
    named = ", ".join(sorted(f"{name}=sha256:{_digest(value)}" for name, value in wanted))
    gone: list[Condemned] = []
    boots: set[str] = set()
    needed: set[str] = set()
    held = unreadable = 0
    for entry in entries:
        unreadable += bool(entry.unreadable)
        erased = not wanted.isdisjoint(entry.tags.items())
        if erased and marks.is_held(entry.path):
            held, erased = held + 1, False
        if not erased:
            needed.add(entry.boot)
            continue
        boots.add(entry.boot)
        gone.append(_condemned(entry, named))
    unused = unused_boot_tapes(store, needed, older_than_ns=now_ns, among=boots - needed)
    gone += unused
    going = {one.path for one in unused}
    gone += [
        _condemned(entry, named)
        for entry in _warm_ups(store)
        if entry.path not in going and not wanted.isdisjoint(entry.tags.items())
    ]
    if held:
        note(f"{plural(held, 'recording')} with it under legal hold, and so left")
    if unreadable:
        note(
            f"{plural(unreadable, 'recording')} can't be read, so that nobody knows their tags:"
            " retrace find --unreadable"
        )
    left = 1 if held or unreadable else 0
    if dry_run:
        return would_go(gone, len(marks)) or left
    if not gone:
        note("no recording has it; nothing was deleted")
        return left
    audit(store, "erase", [one.path for one in gone], setting=settings.audit, tags=named)
    return carry_out(store, gone, catalog, erase=True) or left


def _condemned(entry: Entry, named: str) -> Condemned:
    why = f"erased by {named}"
    return Condemned(entry.path, entry.size_bytes, entry.modified_ns, entry.boot, "erase", why)


def _warm_ups(store: Store) -> Iterator[Entry]:
    """Yield the recordings that lie beside boot tapes; no catalog has them."""
    from retrace_core.catalog.indexing import read_entry

    for stored in store.list(boot_tapes=True):
        entry = read_entry(store, stored) if names_boot_tape(stored.folder) else None
        if entry is not None and entry.method != METHOD:
            yield entry


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]
