"""The command `share`: a URL by which somebody without credentials reads a recording for a time."""

from __future__ import annotations

import time

import click

from retrace_core.audit import audit
from retrace_core.cli.amounts import Span
from retrace_core.cli.cataloged import opened_store
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import note, print_json
from retrace_core.cli.stored import find_stored
from retrace_core.cli.words import local_time
from retrace_core.settings import resolve

__all__ = ["command"]

_LEAST_S, _MOST_S = 60, 7 * 86400
"""What all clouds sign for."""


@click.command(
    name="share",
    short_help="Print a URL that reads a recording for a time.",
    epilog="""\b
Examples:
  retrace share 6a5b04/storefront --for 1h
  curl -o trace.bin "$(retrace share 6a5b04/storefront --for 10m)"
""",
)
@click.argument("recording", metavar="RECORDING")
@click.option(
    "--for",
    "span_ns",
    metavar="SPAN",
    type=Span(),
    default="1h",
    show_default=True,
    help="How long it may be read: 1m to 7d.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, with path and expiry.")
@recordings_option
def command(recording: str, span_ns: int, as_json: bool, recordings: str | None) -> int:
    """Print a presigned URL for each recording that is meant.

    Whoever has the URL reads the recording until it expires, and nothing calls it back before: it
    holds production data, in clear text unless it is encrypted. Sharing is audited. A folder has no
    URLs: send the folder of the trace, or ship it to a store in a cloud.
    """
    expires_s = span_ns // 10**9
    if not _LEAST_S <= expires_s <= _MOST_S:
        raise click.UsageError("--for is from 1m to 7d, which is what clouds sign for")
    settings = resolve()
    store = opened_store(recordings)
    found = find_stored(store, recording)
    until_ns = time.time_ns() + expires_s * 10**9
    urls = [store.presign(one.path, expires_s=expires_s) for one in found]
    paths = [one.path for one in found]
    audit(store, "share", paths, setting=settings.audit, until_ns=until_ns)
    if as_json:
        print_json(
            [
                {"path": path, "url": url, "expires": local_time(until_ns, precise=True)}
                for path, url in zip(paths, urls, strict=True)
            ]
        )
        return 0
    for url in urls:
        click.echo(url)
    note(f"readable by whoever has it, until {local_time(until_ns)}")
    return 0
