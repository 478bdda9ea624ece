"""Tape: what the player of a chapter needs of the whole boot tape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

    from retrace_core.errors import NotOnTape
    from retrace_core.lanes import Lane
    from retrace_core.native import ScopeState
    from retrace_core.replay.chapter import Asked, Place
    from retrace_core.replay.masks import Masks
    from retrace_core.replay.progress import Progress
    from retrace_core.replay.serving_threads import ServingThreads

__all__ = ["Tape"]


class Tape(Protocol):
    """What a chapter needs of the whole tape."""

    state: ScopeState
    masks: Masks
    outgoing_headers: tuple[tuple[str, str], ...]
    lanes: list[Lane]
    lock: threading.RLock
    started_ns: int
    pid: int
    ended: threading.Event
    progress: Progress
    threads: ServingThreads

    def lacks(self, kind: str, key: object) -> NotOnTape:
        """Return what to raise where nobody asked this when it was recorded, and take note."""
        ...

    def anywhere(self, asked: Asked) -> Place | None:
        """Return where a call was last asked in any chapter."""
        ...
