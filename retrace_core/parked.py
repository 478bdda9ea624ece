"""Parked: what is to be called at a time, unless it is called off before."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from retrace_core.native import now_ns

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Parked"]


class Parked:
    """Calls that wait for their time; whoever uses it holds a lock meanwhile."""

    __slots__ = ("_entries", "_tickets")

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._tickets = 0

    def add(self, deadline_ns: int, call: Callable[[], None]) -> int:
        """Keep a call until its time (monotonic); returns by what it is called off."""
        self._tickets += 1
        heapq.heappush(self._entries, (deadline_ns, self._tickets, call))
        return self._tickets

    def remove(self, ticket: int) -> None:
        """Call one off; nothing happens where it was taken already."""
        self._entries = [entry for entry in self._entries if entry[1] != ticket]
        heapq.heapify(self._entries)

    def is_due(self) -> bool:
        """Return True when the time of one has come."""
        return bool(self._entries) and self._entries[0][0] <= now_ns()

    def take_due(self) -> list[Callable[[], None]]:
        """Take those whose time has come."""
        due: list[Callable[[], None]] = []
        while self.is_due():
            due.append(heapq.heappop(self._entries)[2])
        return due

    def take_all(self) -> list[Callable[[], None]]:
        """Take all of them, whatever their time."""
        entries, self._entries = self._entries, []
        return [call for _, _, call in entries]

    def pause_s(self) -> float | None:
        """Return how long it is until the next one's time, in seconds; None where there is none."""
        return max(0.0, (self._entries[0][0] - now_ns()) / 1e9) if self._entries else None
