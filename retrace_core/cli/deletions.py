"""Deletions: carried out or only told of, for the commands that delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from retrace_core.audit import host, who
from retrace_core.cli.screen import Screen, note, progress
from retrace_core.cli.words import plural, size
from retrace_core.retention import delete_all

if TYPE_CHECKING:
    from retrace_core.catalog import Catalog
    from retrace_core.retention import Condemned, Deleted, Receipt
    from retrace_core.store import Store

__all__ = ["carry_out", "would_go"]


def carry_out(
    store: Store,
    gone: list[Condemned],
    catalog: Catalog | None,
    *,
    erase: bool = False,
    quiet: bool = False,
) -> int:
    """Delete recordings, print a receipt of each, and return the exit status.

    Args:
        store: where they are.
        gone: what has to go.
        catalog: of the store, to take them out of.
        erase: marks of `retrace keep` but legal holds count for nothing.
        quiet: print no receipts, and show the progress instead.
    """
    with progress("deleting", len(gone) if quiet or erase else 0) as step:
        done = delete_all(
            store,
            gone,
            by=who(),
            host=host(),
            catalog=catalog,
            erase=erase,
            tell=(lambda _: None) if quiet else _print_receipt,
            step=step,
        )
    return _report(done)


def _print_receipt(receipt: Receipt) -> None:
    """Print a deletion as one line of JSON."""
    click.echo(msgspec.json.encode(receipt).decode())


def would_go(gone: list[Condemned], marked: int) -> int:
    """Print what would be deleted, each as one line of JSON, and how much that is."""
    for one in gone:
        plain = {
            "path": one.path,
            "size_bytes": one.size_bytes,
            "kept_ns": one.modified_ns,
            "rule": one.rule,
            "reason": one.reason,
            "outcome": "would be deleted",
        }
        click.echo(msgspec.json.encode(plain).decode())
    total = size(sum(one.size_bytes for one in gone))
    Screen(err=True).line(
        f"{plural(len(gone), 'file')} ({total}) would be deleted, {marked} are marked; nothing was"
    )
    return 0


def _report(done: Deleted) -> int:
    """Print what was deleted, and return the exit status: 1 where something could not be."""
    counts = ", ".join(f"{count} {what}" for what, count in sorted(done.outcomes.items()))
    Screen(err=True).line(f"{counts} ({size(done.bytes)}); receipts of run {done.run}")
    if done.first_failure:
        note(f"what failed is tried again the next time; the first: {done.first_failure}")
        return 1
    return 0
