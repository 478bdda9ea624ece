"""Body pieces: a body that is packed from masked texts has another length than the recorded one.

So it may go out in a piece more or fewer. What all pieces together say is compared in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from retrace_core.conversation import SENT
from retrace_core.recording import RETURNED, Event

if TYPE_CHECKING:
    from retrace_core.replay.cursor import LaneCursor

__all__ = ["give_one_more", "is_piece", "is_surplus"]

_BODY: Final = "http.response.body"


def is_piece(event: Event) -> bool:
    """Return True for a message with a piece of a body, which went out."""
    return event.kind == SENT and event.key == _BODY and event.status == RETURNED


def is_surplus(cursor: LaneCursor, event: Event, kind: str) -> bool:
    """Return True for a recorded piece that the masked body did not need.

    Args:
        cursor: of the lane.
        event: its next one.
        kind: of the call that is asked instead.
    """
    return cursor.masks is not None and kind != SENT and is_piece(event) and _sent(cursor)


def give_one_more(cursor: LaneCursor, kind: str, asked: object) -> bool:
    """Make a piece the lane's next event where the masked body needs one more than was recorded."""
    if cursor.masks is None or (kind, asked) != (SENT, _BODY) or not _sent(cursor):
        return False
    if any(event.kind == SENT for event in cursor.waiting):
        return False
    piece = cursor.used[-1]
    cursor.insert([piece], piece)
    return True


def _sent(cursor: LaneCursor) -> bool:
    """Return True where the lane's last call was such a piece."""
    return bool(cursor.used) and is_piece(cursor.used[-1])
