"""Sent later: the future of a message that an asyncio client sends when its batch is full.

What it comes to is set by work of the process, for messages of everybody: so it is an event in a
lane of its own, and on replay it is set in its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.called_back import CalledBack, made_future
from retrace_core.native import REPLAY
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from retrace_core import native

__all__ = ["later"]


def later(
    lane: native.Lane,
    kind: str,
    live: asyncio.Future[Any] | None,
    packed: Callable[[Any], object],
    unpacked: Callable[[Any], Any],
) -> Any:
    """Return the future that a request gets.

    Args:
        lane: whose request sends.
        kind: of the event of what it comes to.
        live: the client's own; None on replay.
        packed: the outcome, or an exception, as a value of the codec.
        unpacked: and back.
    """
    if not is_request(lane):
        return live if live is not None else made_future()
    future = made_future()

    def told(kept: Any) -> None:
        failed, value = kept
        if not future.done():
            (future.set_exception if failed else future.set_result)(unpacked(value))

    back = CalledBack(lane, kind, None, told)
    if lane.mode == REPLAY:
        future.feed = back
        back.feed()
        return future

    def ended(outcome: asyncio.Future[Any]) -> None:
        if outcome.cancelled():
            future.cancel()
            return
        error = outcome.exception()
        kept = [error is not None, packed(error if error is not None else outcome.result())]
        back.called(kept)

    assert live is not None
    live.add_done_callback(ended)
    return future
