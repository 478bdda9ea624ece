"""The command `fetch`: bring a whole trace, with its boot tapes, to this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from retrace_core.cli.cataloged import all_entries
from retrace_core.cli.fetching import Fetched, Fetcher
from retrace_core.cli.remote import trace_in
from retrace_core.cli.screen import note, print_json
from retrace_core.cli.words import plural, size
from retrace_core.errors import ConfigurationError, RecordingError
from retrace_core.settings import resolve
from retrace_core.store import StoredRecording, open_store
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.store import Store

__all__ = ["command"]

_WAITED_NS = 60 * 10**9
"""So much later may be kept what began earlier."""


@click.command(
    name="fetch",
    short_help="Bring a whole trace to this machine.",
    epilog="""\b
Examples:
  retrace fetch 6a5b04c1 --from s3://bucket/recordings
  retrace fetch 6a5b04c1 --earlier 200
  retrace replay 6a5b04c1 --app shop:app
\b
Exit status: 0 it is here, 2 there is no such trace, or the store can't be read.
""",
)
@click.argument("trace", metavar="TRACE_ID")
@click.option(
    "--from",
    "source",
    metavar="URL",
    help="The store; default: the setting RETRACE_RECORDING_PATH.",
)
@click.option(
    "--to",
    "target",
    metavar="DIR",
    type=click.Path(file_okay=False),
    default="recordings",
    show_default=True,
    help="The folder it comes into.",
)
@click.option(
    "--earlier",
    type=click.IntRange(min=1),
    metavar="N",
    help="Bring the latest so many that each of their processes had recorded before, too: "
    "a replay that diverges alone runs them first.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(trace: str, source: str | None, target: str, earlier: int | None, as_json: bool) -> int:
    """Bring all recordings of a trace, of every service, and the boot tapes they refer to.

    With a boot tape come the warm-ups beside it: the first requests of its process. TRACE_ID may be
    shortened to 6 characters. What is there already is not fetched again.
    """
    url = source or resolve().recording_path
    store = open_store(url, setting="--from" if source else "RETRACE_RECORDING_PATH")
    if getattr(store, "root", "") == os.path.abspath(target):
        raise ConfigurationError("--to", target, "another folder than the store itself")
    folder = trace_in(store, trace)
    fetcher = Fetcher(store, target)
    fetched = fetcher.fetch(store.list(folder=folder))
    before = Fetched()
    if earlier:
        before = fetcher.fetch(_earlier(store, fetched.recordings, earlier))
        fetched.new_bytes += before.new_bytes
    if as_json:
        print_json(
            {
                "trace": folder,
                "from": store.url,
                "recordings": [str(path) for path in fetched.recordings],
                "earlier": [str(path) for path in before.recordings],
                "boot_tapes": [str(path) for path in fetched.tapes],
                "warm_ups": [str(path) for path in fetched.warm_ups],
                "missing_boot_tapes": fetched.missing,
                "new_bytes": fetched.new_bytes,
            }
        )
        return 0
    for path in fetched.recordings:
        click.echo(os.path.relpath(path))
    counted = [
        plural(len(fetched.recordings), "recording"),
        *([f"{len(before.recordings)} earlier"] if earlier else []),
        plural(len(fetched.tapes), "boot tape"),
        *([plural(len(fetched.warm_ups), "warm-up")] if fetched.warm_ups else []),
    ]
    said = f"{', '.join(counted[:-1])} and {counted[-1]}"
    note(f"{said}, {size(fetched.new_bytes)} new")
    for missing in fetched.missing:
        note(f"the boot tape {missing} is not in {store.url}: a replay may miss what it had")
    return 0


def _earlier(store: Store, fetched: list[Path], most: int) -> list[StoredRecording]:
    """Return what the processes of these recordings had recorded before them, the latest.

    By the time at which it was kept: a replay looks closer.
    """
    kept: dict[tuple[str, str], int] = {}
    itself = {"/".join(path.parts[-3:]) for path in fetched}
    for path in fetched:
        try:
            header = load_header(path)
        except RecordingError:
            continue  # whoever reads it is told
        process = (header.boot, header.service)
        kept[process] = max(kept.get(process, 0), path.stat().st_mtime_ns + _WAITED_NS)
    kept = {process: until for process, until in kept.items() if process[0]}
    found: dict[tuple[str, str], list[StoredRecording]] = {process: [] for process in kept}
    for one in all_entries(store, set())[1] if kept else ():
        process = (one.boot, one.service)
        if one.path not in itself and one.modified_ns <= kept.get(process, -1):
            found[process].append(
                StoredRecording(one.path, one.folder, one.service, one.size_bytes, one.modified_ns)
            )
    return [
        one
        for some in found.values()
        for one in sorted(some, key=lambda one: one.modified_ns)[-most:]
    ]
