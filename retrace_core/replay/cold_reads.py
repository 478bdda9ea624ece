"""Cold reads: files that a replay reads, and the recorded request had not, as they lay in a cache.

A template that a thread of the start-up had loaded, say. A replay asks for it with its cache cold:
it is read where it lies; and where it does not lie here, as the process had read it at another
time, which is what was in the cache.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core import native
from retrace_core.recording import RETURNED, Event
from retrace_core.replay.scratch_names import as_recorded

if TYPE_CHECKING:
    from retrace_core.recording import Recording
    from retrace_core.replay.boot import BootPlayer

__all__ = ["ColdReads"]

_OPEN = "file.open"
_ASKED = (_OPEN, "file.stat", "file.lstat", "file.listdir", "file.access", "file.readlink")
_WRITES = frozenset("wax+")
_MOST = 3
"""So many paths are named."""
_Found = dict[tuple[str, bytes], Event]


class ColdReads:
    """The half of a request's replay that knows what else was read.

    Args:
        recording: of the request.
    """

    boot: BootPlayer | None
    """The tape of its process."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.cold: set[str] = set()
        """Paths of what was taken from another time."""

    def cold_answer(self, kind: str, key: Any) -> tuple[bool, object]:
        """Return whether a file was asked for at another time, and what was answered.

        Args:
            kind: "file.open", ...
            key: what is asked; of `open` the path, and a mode in which it is read.
        """
        asked = _name_of(kind, as_recorded(key))
        event = self._elsewhere.get(asked) if asked is not None else None
        if event is None:
            return False, None
        self.cold.add(str(key[0]))
        return True, event.value

    def cold_notes(self) -> list[str]:
        """Return in words what was taken from another time."""
        if not self.cold:
            return []
        named = ", ".join(sorted(self.cold)[:_MOST])
        return [
            f"not read by the request, and not here: {named}; it got what its process had read of"
            " it at another time, as from a cache"
        ]

    @functools.cached_property
    def _elsewhere(self) -> _Found:
        found: _Found = {}
        for lane in self._recording.lanes:
            for event in lane.events:
                if isinstance(event, Event):
                    _add(found, event)
        if self.boot is not None:
            before, after = self.boot.calls_around()
            for event in (*reversed(before), *after):
                _add(found, event)
        return found


def _add(found: _Found, event: Event) -> None:
    if event.status == RETURNED:
        name = _name_of(event.kind, event.key)
        if name is not None:
            found.setdefault(name, event)


def _name_of(kind: str, key: Any) -> tuple[str, bytes] | None:
    """Return by what it is found; None for what is no reading. How it is opened is the same."""
    if kind not in _ASKED or not isinstance(key, list | tuple):
        return None
    if kind == _OPEN:
        if not _WRITES.isdisjoint(str(key[1])):
            return None
        key = key[:1]
    return kind, native.encode(list(key))
