"""The command `export`: a recording as JSON, or as an HTTP Archive for browsers' tools."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

import click

from retrace_core.cli.document import document, plain
from retrace_core.cli.find import find, recording_argument, recordings_option
from retrace_core.cli.har import har
from retrace_core.cli.masking import masked
from retrace_core.trace_file import load

__all__ = ["command"]


@click.command(
    name="export",
    short_help="Write it as JSON or as an HTTP Archive (HAR).",
    epilog="""\b
Examples:
  retrace export 6a5b04 --format har -o checkout.har
  retrace export 6a5b04/storefront --format json | jq '.recordings[0].lanes'
""",
)
@recording_argument()
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "har"]),
    required=True,
    help="har: HTTP Archive 1.2, the incoming request and each outgoing one.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Default: standard output.",
)
@click.option("--reveal", is_flag=True, help="Write sensitive headers, which are masked else.")
@recordings_option
def command(
    recording: str, form: str, output: str | None, reveal: bool, recordings: str | None
) -> int:
    """Write a recording in a form that other tools read.

    RECORDING is the path of a trace file, the folder of a trace, a trace id or the beginning
    of one (6 characters or more), or TRACE/SERVICE.
    """
    loaded = [load(path) for path in find(recording, recordings)]
    shown = loaded if reveal else [masked(one) for one in loaded]
    content: Any = {"recordings": [document(one) for one in shown]}
    if form == "har":
        content = plain(har(shown))
    text = json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False)
    if output is None or output == "-":
        click.echo(text)
    else:
        _write(output, text + "\n")
    return 0


def _write(path: str, text: str) -> None:
    """Write the file whole, or leave what was there; only its owner may read it."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as device:  # /dev/stdout, a pipe
            device.write(text)
        return
    folder = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".retrace-export-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
