"""Overflowing store: a folder that more comes for than its disk makes folders and files for.

Each recording there is two folders and a file. While too many wait, they are put as packs into a
spool instead, one file for many, and moved to their places as soon as no more wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.stats import count
from retrace_core.store.directory import DirectoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core.errors import StoreError
    from retrace_core.store.spooled_store import SpooledStore

__all__ = ["OverflowingStore"]


class OverflowingStore(DirectoryStore):
    """Recordings below one folder; used by the writer.

    Args:
        root: the folder.
        overflow: returns what takes those that the folder does not get in time.
        pressed: says whether too many wait.
    """

    def __init__(
        self, root: str, overflow: Callable[[], SpooledStore], pressed: Callable[[], bool]
    ) -> None:
        super().__init__(root)
        self._overflow = overflow
        self._pressed = pressed

    def put_ranked(
        self, recordings: Sequence[tuple[str, str, str, bytes]], failed: Sequence[bool]
    ) -> list[str | StoreError]:
        """Keep several recordings; see `RankedStore`."""
        if len(recordings) == 1 or not self._pressed():
            return self.put_all(recordings)
        count("overflowed", len(recordings))
        return self._overflow().put_ranked(recordings, failed)
