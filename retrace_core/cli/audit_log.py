"""The command `audit`: who fetched, shared, replayed, kept or deleted recordings."""

from __future__ import annotations

import json

import click

from retrace_core.audit import audited
from retrace_core.cli.cataloged import opened_store
from retrace_core.cli.filters import Moment
from retrace_core.cli.find import recordings_option
from retrace_core.settings import resolve

__all__ = ["command"]


@click.command(
    name="audit",
    short_help="Who did what with recordings.",
    epilog="""\b
Examples:
  retrace audit --since 1d
  retrace audit --action share | jq -r '"\\(.at) \\(.by) \\(.paths[])"'
""",
)
@click.option("--since", metavar="TIME", type=Moment(), default=0, help="Not older: 1d, or a date.")
@click.option("--action", metavar="NAME", default="", help="Only this: share, replay, prune, ...")
@recordings_option
def command(since: int, action: str, recordings: str | None) -> int:
    """Print the audit log, one JSON object on each line, the oldest first.

    The setting RETRACE_AUDIT says where it is, in the store by default. Each deletion has a receipt
    besides, below .receipts/.
    """
    for line in audited(opened_store(recordings), since_ns=since, setting=resolve().audit):
        if action in ("", line.get("action")):
            click.echo(json.dumps(line, ensure_ascii=True))
    return 0
