"""The command `rekey`: encrypts recordings to other keys."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

import click

from retrace_core.cli.find import recording_argument, recordings_option
from retrace_core.cli.scan import everything
from retrace_core.cli.screen import Screen, progress
from retrace_core.encryption import encrypting
from retrace_core.errors import RecordingError
from retrace_core.settings import resolve
from retrace_core.store import is_remote
from retrace_core.trace_file.resealing import checked

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    name="rekey",
    short_help="Encrypt recordings to other keys.",
    epilog="""\b
Examples:
  retrace rekey recordings --identity old.txt --to age1...
  retrace rekey recordings --identity old.txt --to team.txt --to age1...
  retrace rekey s3://bucket/prefix --identity old.txt --to age1...
""",
)
@recording_argument(several=True)
@click.option(
    "--to",
    "to",
    metavar="KEY",
    multiple=True,
    required=True,
    help="Public key, or a file of them; may be repeated. Only these read it from then on.",
)
@recordings_option
def command(recording: tuple[str, ...], to: tuple[str, ...], recordings: str | None) -> int:
    """Encrypt recordings to the keys of --to, in the place of those they are encrypted to.

    What is not encrypted yet becomes so. True values that are sealed inside are sealed to the
    new keys, where the old ones open them. All are read first, and none is written when one
    can't be; each is replaced in one step, so that an interruption loses nothing: run it again,
    with the old and the new key as --identity. A RECORDING may be the URL of a store, too: of all
    that is in there, in packs and boot tapes as well.
    """
    encrypt = encrypting(",".join(to), "--to")
    home = recordings or resolve().recording_path
    if any(map(is_remote, recording)) or (
        is_remote(home) and not any(map(os.path.exists, recording))
    ):
        from retrace_core.cli.rekey_in_store import rekey_in_store

        count = rekey_in_store(recording, home, encrypt)
        Screen().line(f"{count} encrypted to {len(to)} of --to", "green")
        return 0
    paths = everything(recording, recordings)
    with progress("checking", len(paths)) as step:
        for path in paths:
            checked(_read(path), str(path), encrypt)
            step()
    with progress("encrypting", len(paths)) as step:
        for path in paths:
            _replace(path, encrypt(checked(_read(path), str(path), encrypt)))
            step()
    Screen().line(f"{len(paths)} encrypted to {len(to)} of --to", "green")
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} can't be read ({error.strerror})") from None


def _replace(path: Path, data: bytes) -> None:
    """Put other bytes in the place of a file, in one step, with its permissions and times."""
    before = path.stat()
    descriptor, name = tempfile.mkstemp(prefix=".rekey-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, stat.S_IMODE(before.st_mode))
        os.utime(name, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
