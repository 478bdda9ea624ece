"""The command `fetch`: bring a whole trace, with its boot tapes, to this machine."""

from __future__ import annotations

import os

import click

from retrace_core.cli.fetching import Fetcher
from retrace_core.cli.remote import trace_in
from retrace_core.cli.screen import note, print_json
from retrace_core.cli.words import plural, size
from retrace_core.errors import ConfigurationError
from retrace_core.settings import resolve
from retrace_core.store import open_store

__all__ = ["command"]


@click.command(
    name="fetch",
    short_help="Bring a whole trace to this machine.",
    epilog="""\b
Examples:
  retrace fetch 6a5b04c1 --from s3://bucket/recordings
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
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(trace: str, source: str | None, target: str, as_json: bool) -> int:
    """Bring all recordings of a trace, of every service, and the boot tapes they refer to.

    TRACE_ID may be shortened to 6 characters. What is there already is not fetched again.
    """
    url = source or resolve().recording_path
    store = open_store(url, setting="--from" if source else "RETRACE_RECORDING_PATH")
    if getattr(store, "root", "") == os.path.abspath(target):
        raise ConfigurationError("--to", target, "another folder than the store itself")
    folder = trace_in(store, trace)
    fetched = Fetcher(store, target).fetch(store.list(folder=folder))
    if as_json:
        print_json(
            {
                "trace": folder,
                "from": store.url,
                "recordings": [str(path) for path in fetched.recordings],
                "boot_tapes": [str(path) for path in fetched.tapes],
                "missing_boot_tapes": fetched.missing,
                "new_bytes": fetched.new_bytes,
            }
        )
        return 0
    for path in fetched.recordings:
        click.echo(os.path.relpath(path))
    note(
        f"{plural(len(fetched.recordings), 'recording')} and"
        f" {plural(len(fetched.tapes), 'boot tape')}, {size(fetched.new_bytes)} new"
    )
    for missing in fetched.missing:
        note(f"the boot tape {missing} is not in {store.url}: a replay may miss what it had")
    return 0
