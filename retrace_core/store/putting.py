"""Putting: several recordings into a store, in the way that costs it least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.errors import StoreError
from retrace_core.store.protocol import BatchStore, RankedStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.store.protocol import Store

__all__ = ["put_each"]


def put_each(
    store: Store, recordings: Sequence[tuple[str, str, str, bytes]], failed: Sequence[bool]
) -> list[str | StoreError]:
    """Keep recordings, each given as the arguments of `Store.put`.

    Args:
        store: where.
        recordings: which.
        failed: for each, whether its request failed: a full spool drops those last.

    Returns:
        The path of each, or the error for which it could not be kept.
    """
    if isinstance(store, RankedStore):
        return store.put_ranked(recordings, failed)
    if isinstance(store, BatchStore):
        return store.put_all(recordings)
    answers: list[str | StoreError] = []
    for recording in recordings:
        try:
            answers.append(store.put(*recording))
        except StoreError as error:
            answers.append(error)
    return answers
