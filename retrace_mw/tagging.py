"""Tagging: what the application calls a request by, to find its recording by."""

from __future__ import annotations

from retrace_core import failsafe
from retrace_core.current_scope import active_scope
from retrace_core.lanes import mask
from retrace_core.scope import RecordingScope

__all__ = ["tag"]


def tag(**tags: object) -> None:
    """Give the running recording tags: `retrace_mw.tag(user=user.id, order=42)`.

    They stand in the header of the recording: `retrace show` shows them, `retrace find --tag
    user=7` finds by them, and `retrace erase --tag user=7` deletes by them. The value of a name
    given again is the last one. Outside a recording, and during replay, it does nothing.

    It never raises. A tag that can't be taken is left out, counted as "tags.refused" and told
    in the log, once for each name.

    Args:
        tags: up to 16 of a recording, by name (64 letters, digits and "_", "." or "-"); a value
            is text (200 printable characters), a whole number of 64 bits, True or False.
    """
    recording_scope = active_scope()
    if isinstance(recording_scope, RecordingScope):
        with failsafe.gate("tag"), mask():
            recording_scope.tag(tags)
