"""Prepared: a statement that the connection has prepared already, where the recorded one had not.

Requests that were served at once had a connection each, and a mapper keeps prepared statements for
each of them. A replay that runs them one after the other has one connection for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from retrace_core.recording import RETURNED
from retrace_core.replay.divergence import same_key

if TYPE_CHECKING:
    from retrace_core.recording import Event
    from retrace_core.replay.cursor import LaneCursor

__all__ = ["is_prepared_here"]

_PREPARE: Final = "asyncpg.prepare"
_FAMILY: Final = "asyncpg."


def is_prepared_here(cursor: LaneCursor, event: Event, kind: str, asked: object) -> bool:
    """Return True where the statement that a call executes need not be prepared first, as it was.

    Args:
        cursor: of the lane.
        event: its next one.
        kind: of the call that is asked instead.
        asked: its key, which begins with the statement.
    """
    if event.kind != _PREPARE or event.status != RETURNED or not kind.startswith(_FAMILY):
        return False
    if kind == _PREPARE or not isinstance(asked, list | tuple) or not asked:
        return False
    statement = [cast("list[object]", asked)[0]]
    return same_key(event.key, statement, masks=cursor.masks)
