"""Verified: the mark beside a recording that says that it was replayed, identical.

`trace.bin` has `trace.verified.json`. A mark is written once, exclusively, as a recording is,
and never changed: it names the commit and the time of the first identical replay.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import msgspec

from retrace_core.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Verified", "mark_path", "read_mark", "write_mark"]

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_MOST_BYTES = 4096


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a mark says."""

    span_id: str
    """Of the recording: a mark of another one does not count."""
    verified_ns: int
    """Unix time of the replay, in nanoseconds."""
    commit: str = ""
    """Git commit of the code that was replayed, where it could be found out."""
    app: str = ""
    python: str = ""
    retrace: str = ""


def mark_path(recording: Path) -> Path:
    """Return where the mark of a recording is: `trace.<span>.bin` has one of its own."""
    return recording.with_name(f"{recording.name.removesuffix('.bin')}.verified.json")


def read_mark(recording: Path, span_id: str) -> Verified | None:
    """Return the mark of a recording, or None: there is none, or it is of another one."""
    try:
        with open(mark_path(recording), "rb") as file:
            mark = msgspec.json.decode(file.read(_MOST_BYTES), type=Verified)
    except (OSError, msgspec.MsgspecError):
        return None
    return mark if mark.span_id == span_id else None


def write_mark(recording: Path, mark: Verified) -> bool:
    """Write the mark of a recording whole; False when it has one already.

    Raises:
        StoreError: the file system refused.
    """
    path = mark_path(recording)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        handle = os.open(temporary, _FLAGS, 0o600)
        try:
            with open(handle, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(mark)))
            os.link(temporary, path)
        finally:
            os.unlink(temporary)
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreError(
            f"{path} can't be written ({error.strerror}); check the folder and its permissions"
        ) from error
    return True
