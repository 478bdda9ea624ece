"""Remote: recordings of a cloud's store, brought to this machine for the command that reads them.

They come into a folder of the user's cache, whole traces with their boot tapes, and go again
when they were not used for a week.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.cli.fetching import Fetcher
from retrace_core.cli.screen import note
from retrace_core.errors import RecordingNotFound
from retrace_core.ids import safe_folder, valid_service
from retrace_core.store import open_store

if TYPE_CHECKING:
    from retrace_core.store import Store, StoredRecording

__all__ = [
    "cache_folder",
    "complete_in_store",
    "find_below",
    "find_in_store",
    "find_url",
    "trace_in",
]

_PREFIX = 6
"""A trace id may be shortened to so many characters."""
_UNUSED_S = 7 * 86400


def cache_folder(url: str) -> str:
    """Return where the recordings of a store are brought to."""
    top = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return f"{top}/retrace/fetched/{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def find_url(url: str) -> list[Path]:
    """Return what a URL means, once it is here: a trace, one service of it, or one recording.

    Raises:
        RecordingNotFound: it means none.
        StoreError: the store can't be read.
    """
    scheme, _, rest = url.partition("://")
    bucket, *parts = [part for part in rest.split("/") if part]
    for count in (1, 2, 3):
        if count > len(parts):
            break
        before, (folder, *names) = parts[:-count], parts[-count:]
        if not safe_folder(folder) or (names and not valid_service(names[0])):
            continue
        store = open_store("/".join([f"{scheme}:/", bucket, *before]), setting="RECORDING")
        found = list(store.list(folder=folder))
        if found:
            service, name = (*names, "", "")[:2]
            return _brought(store, found, folder, service, name)
    raise RecordingNotFound(
        f"there is no recording {url}: give URL/TRACE, URL/TRACE/SERVICE or the whole path;"
        " retrace ls --recordings URL lists what there is"
    )


def find_in_store(url: str, asked: str, service: str, name: str, before: str = "") -> list[Path]:
    """Return the recordings of a trace, once they are here.

    Args:
        url: of the store.
        asked: a trace id, or the beginning of one.
        service: of this service only.
        name: of this file only.
        before: for the error, what was looked for first.

    Raises:
        RecordingNotFound: there is none, or several traces begin so.
        StoreError: the store can't be read.
    """
    store = open_store(url, setting="--recordings")
    folder = trace_in(store, asked, before)
    return _brought(store, list(store.list(folder=folder)), folder, service, name)


def trace_in(store: Store, asked: str, before: str = "") -> str:
    """Return the trace of a store that an id, or the beginning of one, means.

    Raises:
        RecordingNotFound: there is none, or several begin so.
        StoreError: the store can't be read.
    """
    missing = f"{before}there is no recording {asked!r} in {store.url}"
    if not safe_folder(asked):
        raise RecordingNotFound(f"{missing}: that is no trace id")
    if next(iter(store.list(folder=asked)), None) is not None:
        return asked
    if len(asked) < _PREFIX:
        raise RecordingNotFound(f"{missing}: give {_PREFIX} characters of the trace id or more")
    folders = sorted({one.folder for one in store.list(begins=asked)})
    if not folders:
        raise RecordingNotFound(
            f"{missing}: no trace begins so; it may wait in a spool still (retrace doctor)"
        )
    if len(folders) > 1:
        raise RecordingNotFound(
            f"{missing}: {len(folders)} traces begin so ({', '.join(folders[:3])}, ...);"
            " give more of the id"
        )
    return folders[0]


def find_below(url: str) -> list[Path]:
    """Return all recordings below a URL, once they are here; raises as `find_url`."""
    store = open_store(url, setting="RECORDINGS")
    found = list(store.list())
    if not found:
        return find_url(url)
    return _fetch(store, found)


def complete_in_store(url: str, trace: str, *, whole: bool) -> set[str]:
    """Return the traces that begin so, or the services of a whole one as TRACE/SERVICE."""
    store = open_store(url)
    if whole:
        return {f"{trace}/{one.service}" for one in store.list(folder=trace)}
    return {one.folder for one in store.list(begins=trace)} if len(trace) >= _PREFIX else set()


def _brought(
    store: Store, found: list[StoredRecording], folder: str, service: str, name: str
) -> list[Path]:
    fits = [one for one in found if service in ("", one.service)]
    if name:
        named = [one for one in fits if one.path.endswith(f"/{name}")]
        fits = named or (fits[:1] if name == "trace.bin" else [])
    if not fits:
        there = ", ".join(sorted({one.service for one in found}))
        raise RecordingNotFound(
            f"trace {folder} in {store.url} has no recording {service}/{name}: it has {there}"
        )
    wanted = {one.path for one in fits}
    root = Path(cache_folder(store.url))
    return [path for path in _fetch(store, found) if path.relative_to(root).as_posix() in wanted]


def _fetch(store: Store, found: list[StoredRecording]) -> list[Path]:
    root = cache_folder(store.url)
    _sweep(root)
    fetched = Fetcher(store, root).fetch(found)
    for folder in fetched.missing:
        note(f"the boot tape {folder} is not in {store.url}")
    return fetched.recordings


def _sweep(root: str) -> None:
    """Remove what was not used for a week."""
    end = time.time() - _UNUSED_S
    for place, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(OSError):
                if os.stat(f"{place}/{name}").st_atime < end:
                    os.unlink(f"{place}/{name}")
