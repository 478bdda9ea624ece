"""Rekey in store: encrypts the recordings of a cloud's store to other keys, where they are."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from retrace_core.audit import audit
from retrace_core.cli.remote import cache_folder, trace_in
from retrace_core.cli.screen import progress
from retrace_core.errors import RecordingNotFound, StoreError
from retrace_core.settings import resolve
from retrace_core.store import RewritableStore, is_remote, open_store
from retrace_core.trace_file.resealing import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core.store import Store

__all__ = ["rekey_in_store"]

_AT_ONCE = 8
_TOLD = 3


def rekey_in_store(
    recording: Sequence[str], recordings: str, encrypt: Callable[[bytes], bytes]
) -> int:
    """Encrypt recordings of stores to other keys, and return how many.

    Args:
        recording: URLs of stores; trace ids, their beginnings, or TRACE/SERVICE.
        recordings: URL of the store that the ids are of.
        encrypt: to the new keys.

    Raises:
        RecordingError: one can't be read, or the keys at hand don't open it; none is changed.
        RecordingNotFound: there is none of a name; none is changed.
        StoreError: a store can't be read, or some could not be written: these are as they were.
    """
    wanted: dict[str, tuple[Store, dict[str, None]]] = {}
    for text in recording:
        if is_remote(text):
            store = open_store(text, setting="RECORDING")
        elif is_remote(recordings):
            store = open_store(recordings, setting="--recordings")
        else:
            raise click.UsageError(f"{text}: give either URLs of stores, or none")
        found = _paths(store, "" if is_remote(text) else text)
        wanted.setdefault(store.url, (store, {}))[1].update(dict.fromkeys(found))

    for store, paths in wanted.values():
        with progress("checking", len(paths)) as step, ThreadPoolExecutor(_AT_ONCE) as threads:
            read = store.get
            for _ in threads.map(lambda path, of=read: checked(of(path), path, encrypt), paths):
                step()
    for store, paths in wanted.values():
        audit(store, "rekey", list(paths), setting=resolve().audit)
        try:
            _rewrite(store, list(paths), encrypt)
        finally:  # copies that were brought here are for the old keys
            shutil.rmtree(cache_folder(store.url), ignore_errors=True)
    return sum(len(paths) for _, paths in wanted.values())


def _paths(store: Store, asked: str) -> list[str]:
    trace, _, service = asked.strip("/").partition("/")
    folder = trace_in(store, trace) if trace else ""
    found = store.list(folder=folder, service=service, boot_tapes=True)
    paths = sorted(one.path for one in found)
    if not paths:
        raise RecordingNotFound(f"there is no recording {asked} in {store.url}; see retrace ls")
    return paths


def _rewrite(store: Store, paths: list[str], encrypt: Callable[[bytes], bytes]) -> None:
    assert isinstance(store, RewritableStore)
    left = dict.fromkeys(paths)
    with progress("encrypting", len(paths)) as step:

        def change(path: str, data: bytes) -> bytes:
            made = encrypt(checked(data, path, encrypt))
            if path in left:
                left.pop(path, None)
                step()
            return made

        answers = store.rewrite(paths, change)
    failed = [f"{path}: {answer}" for path, answer in zip(paths, answers, strict=True) if answer]
    if failed:
        told = "; ".join(failed[:_TOLD])
        raise StoreError(
            f"{len(failed)} of {len(paths)} recordings are as they were ({told}); run it again,"
            " with the old and the new key as --identity"
        )
