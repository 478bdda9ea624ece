"""Carrying on: what replays said for pseudonyms is told to those of the same process after them.

A session that was made by an earlier request lies in memory under an id that the replay worked
out; the cookie of the next request has the pseudonym of the recorded one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from retrace_core.replay.comparison import compare
from retrace_core.replay.true_texts import true_texts, with_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.recording import Recording, Request
    from retrace_core.replay.masks import Masks
    from retrace_core.replay.player import Player

__all__ = ["CarryingOn"]


class CarryingOn:
    """What the replays of one process have said for pseudonyms so far.

    Args:
        boot: the files of the process's boot tape.
    """

    def __init__(self, boot: Sequence[Recording] = ()) -> None:
        self._boot = boot
        self._says: dict[bytes, bytes] = {}

    def before(self, recording: Recording, player: Player) -> Recording:
        """Return a recording with its request as it is to be sent, and prepare its player."""
        if player.masks is None or recording.redaction is None:
            return recording
        true = true_texts(recording.redaction, self._boot)
        if not self._says and not true:
            return recording
        player.masks.tell(self._says, true)
        return msgspec.structs.replace(recording, request=_told(recording.request, player.masks))

    def after(self, recording: Recording, player: Player) -> None:
        """Learn from a replay that is over what it said."""
        if player.masks is None:
            return
        outcome = player.outcome
        compare(recording, outcome.response(), outcome.failure, player.masks)
        self._says.update(player.masks.says)


def _told(request: Request, masks: Masks) -> Request:
    return msgspec.structs.replace(
        request,
        path=masks.told(request.path),
        raw_path=masks.told(request.raw_path),
        query=masks.told(request.query),
        headers=[(name, _header(value, masks)) for name, value in request.headers],
        body=masks.told(list(request.body)),
    )


def _header(value: str, masks: Masks) -> str:
    return with_credentials(str(masks.told(value)), masks.told)
