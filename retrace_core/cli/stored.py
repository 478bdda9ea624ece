"""Stored: which recordings of a store an argument RECORDING means; of any store, by its paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retrace_core.errors import RecordingNotFound
from retrace_core.ids import names_boot_tape, safe_folder
from retrace_core.store import is_remote

if TYPE_CHECKING:
    from retrace_core.store import Store, StoredRecording

__all__ = ["find_stored"]

_PREFIX = 6


def find_stored(store: Store, text: str) -> list[StoredRecording]:
    """Return the recordings that `text` means, at least one, in order of their paths.

    Args:
        store: where they are.
        text: a trace id or the beginning of one (6 characters or more), TRACE/SERVICE,
            TRACE/SERVICE/trace.bin; in a folder also the path of a file or of a trace's folder.

    Raises:
        RecordingNotFound: there is none, or several traces begin so.
        StoreError: the store can't be read.
    """
    asked = _below(store, text)
    trace, _, rest = asked.strip("/").partition("/")
    service, _, name = rest.partition("/")
    missing = f"there is no recording {text!r} in {store.url}"
    if not safe_folder(trace) or names_boot_tape(trace):
        raise RecordingNotFound(f"{missing}; give a trace id, or TRACE/SERVICE; see retrace ls")
    found = list(store.list(folder=trace))
    if not found and len(trace) >= _PREFIX:
        found = list(store.list(begins=trace))
        folders = sorted({one.folder for one in found})
        if len(folders) > 1:
            raise RecordingNotFound(
                f"{missing}: {len(folders)} traces begin so ({', '.join(folders[:3])}, ...);"
                " give more of the id"
            )
    found = [
        one
        for one in found
        if service in ("", one.service) and name in ("", one.path.rsplit("/", 1)[-1])
    ]
    if not found:
        raise RecordingNotFound(f"{missing}; retrace ls lists what there is")
    return sorted(found, key=lambda one: one.path)


def _below(store: Store, text: str) -> str:
    if is_remote(store.url) or not os.path.exists(text):
        return text
    place = os.path.relpath(os.path.realpath(text), os.path.realpath(store.url))
    return text if place.startswith("..") or place == "." else place
