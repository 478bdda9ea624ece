"""Marks: recordings that are kept whatever the policy says, for a while, for good, or by law.

A mark is a blob below `.keep/<path of the recording>/`, made once and never changed. A recording
may have several; it is kept while one of them is in force. A mark that can't be read is in force.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from retrace_core.errors import NotStored, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.store import Store

__all__ = ["Mark", "Marks", "lift", "mark", "marks_of"]

_FOLDER = ".keep"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Why a recording is kept."""

    path: str
    """Logical path of the recording."""
    hold: bool = False
    """By law: not even erased; lifted only by a word of its own."""
    until_ns: int = 0
    """Unix time up to which it is in force; 0 for ever."""
    reason: str = ""
    by: str = ""
    made_ns: int = 0
    key: str = ""
    """Of the blob; not in it."""

    def in_force(self, now_ns: int) -> bool:
        """Return True while it protects its recording."""
        return not self.until_ns or now_ns <= self.until_ns


class Marks:
    """The marks of a store, as they were when they were read.

    Args:
        store: the store.
        now_ns: the time, in Unix nanoseconds.

    Raises:
        StoreError: they can't be read; then nothing may be deleted.
    """

    def __init__(self, store: Store, now_ns: int) -> None:
        self._kept: dict[str, bool] = {}
        for one in marks_of(store):
            if one.in_force(now_ns):
                self._kept[one.path] = one.hold or self._kept.get(one.path, False)

    def __len__(self) -> int:
        return len(self._kept)

    def is_kept(self, path: str) -> bool:
        """Return True for a recording that is marked."""
        return path in self._kept

    def is_held(self, path: str) -> bool:
        """Return True for a recording that is held by law."""
        return self._kept.get(path, False)


def mark(
    store: Store,
    path: str,
    *,
    hold: bool = False,
    until_ns: int = 0,
    reason: str = "",
    by: str = "",
) -> Mark:
    """Mark a recording, and return the mark.

    Raises:
        NotStored: there is no such recording.
        StoreError: the mark can't be written.
    """
    store.stat(path)
    made_ns = time.time_ns()
    made = Mark(
        path=path, hold=hold, until_ns=until_ns, reason=reason[:500], by=by, made_ns=made_ns
    )
    key = f"{_FOLDER}/{path}/{made_ns}-{secrets.token_hex(4)}.json"
    if not store.blobs.put(key, msgspec.json.encode(made)):
        raise StoreError(f"{key} is taken; nothing was marked, try again")
    return made


def marks_of(store: Store, path: str = "") -> Iterator[Mark]:
    """Yield the marks of a recording, or all of the store.

    Raises:
        StoreError: they can't be read.
    """
    blobs = store.blobs
    for blob in blobs.list(f"{_FOLDER}/{path}" if path else _FOLDER):
        of = blob.key.removeprefix(f"{_FOLDER}/").rpartition("/")[0]
        try:
            found = msgspec.json.decode(blobs.get(blob.key), type=Mark)
            if found.path != of:
                raise ValueError
        except NotStored:
            continue  # lifted meanwhile
        except (msgspec.MsgspecError, ValueError):
            found = Mark(path=of, hold=True, reason="the mark can't be read")
        yield msgspec.structs.replace(found, key=blob.key)


def lift(store: Store, path: str, *, holds: bool) -> int:
    """Take the marks off a recording, and return how many these were.

    Args:
        store: the store.
        path: of the recording.
        holds: take legal holds off, and no other marks; else all marks but these.

    Raises:
        StoreError: they can't be read, or not be removed.
    """
    found = [one for one in marks_of(store, path) if one.hold == holds]
    for one in found:
        store.blobs.delete(one.key)
    return len(found)
