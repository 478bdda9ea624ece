"""The command `keygen`: makes the pair of keys that recordings are encrypted and read with."""

from __future__ import annotations

import datetime
import os
import sys

import click

from retrace_core.cli.screen import note
from retrace_core.encryption import new_key
from retrace_core.errors import RetraceError

__all__ = ["command"]


@click.command(
    name="keygen",
    short_help="Make the keys that recordings are encrypted and read with.",
    epilog="""\b
Examples:
  retrace keygen key.txt               the public key is printed
  RETRACE_ENCRYPT_TO=age1... RETRACE=1 uvicorn shop:app      in production, no private key
  retrace replay 6a5b04 --identity key.txt                   on the laptop
""",
)
@click.argument("file", type=click.Path(dir_okay=False), metavar="FILE")
def command(file: str) -> int:
    """Write a new private key to FILE, and print its public key.

    FILE is made readable for you alone, and never overwritten. It is a key of age: the
    program `age` reads with it, too.
    """
    private, public = new_key()
    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = f"# created: {made}\n# public key: {public}\n{private}\n"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RetraceError(f"{file} is there already; give another name") from None
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
    sys.stdout.write(f"{public}\n")
    note(f"the private key is in {file}: who has it reads what is encrypted to {public[:12]}...")
    return 0
