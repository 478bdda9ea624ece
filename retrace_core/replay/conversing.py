"""Conversing: lets a recorded web socket's peer speak again, to the real ASGI callable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from retrace_core.conversation import ConversationTee, messages

if TYPE_CHECKING:
    from retrace_core.recording import Recording
    from retrace_core.replay.player import Player

__all__ = ["converse", "while_it_goes_on"]

_UNWINDING_S = 5.0


async def converse(
    app: Any, scope: dict[str, Any], recording: Recording, player: Player, *, teed: bool
) -> None:
    """Run a recorded conversation; what the application says is in `player.outcome`.

    Each recorded message is given when its turn comes in the order of all events.

    Args:
        app: the ASGI callable.
        scope: the connection's.
        recording: whose conversation it is.
        player: gives the answers.
        teed: True where the application has our middleware, which keeps what passes.
    """
    heard = [said.message for said in messages(recording) if said.by == "client"]

    async def receive() -> Any:
        # Asked from outside of the middleware; inside, the player gives the messages.
        if heard:
            return heard.pop(0)
        await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        return None

    tee = ConversationTee(player, receive, send)
    ends = (receive, send) if teed else (tee.receive, tee.send)
    try:
        await app(scope, *ends)
        if not teed:
            tee.ended()
    except BaseException as error:  # noqa: BLE001  # whatever left the application is its outcome
        if not player.inside:
            player.failed(error)


async def while_it_goes_on(task: asyncio.Task[None], player: Player) -> None:
    """Wait for a conversation to end; end it where the code waits for what will not come."""
    patience_s = None if player.patience_s == float("inf") else player.patience_s
    while not task.done():
        served = player.served
        await asyncio.wait([task], timeout=patience_s)
        if not task.done() and player.served == served and not player.waits():
            player.stalled()
            task.cancel()
            await asyncio.wait([task], timeout=_UNWINDING_S)
            return
    await task
