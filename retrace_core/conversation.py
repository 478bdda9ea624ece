"""Conversation: what the two sides of a web socket say, as events of its recording.

What the application receives is an answer like any other: it comes back on replay in its turn.
What it sends is compared message by message. What others send on its socket (a broadcast from
another request's code) comes from outside of the recording: it is listed, and not asked again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast

from retrace_core import failsafe
from retrace_core.boundary import call_async, mask
from retrace_core.lanes import Lane
from retrace_core.native import current
from retrace_core.recording import RETURNED, Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.recording import Recording

__all__ = [
    "ELSEWHERE",
    "SENT",
    "WEBSOCKET",
    "ConversationTee",
    "Message",
    "Said",
    "kept",
    "messages",
]

WEBSOCKET: Final = "websocket"
"""ASGI's type of such a connection, and the protocol of its recordings."""
RECEIVED: Final = "asgi.receive"
SENT: Final = "asgi.send"
ELSEWHERE: Final = "elsewhere.send"
"""Kind of the events of messages that were sent by code of no lane of the recording."""

_ABNORMAL = 1006
"""Close code that no peer sends: the connection was lost (RFC 6455, 7.4.1)."""
_SWITCHING, _FORBIDDEN = 101, 403

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Keeper(Protocol):
    """What a scope, recording or replaying, is told of a conversation."""

    def response_start(self, status: int, reason: str, headers: Sequence[tuple[Any, Any]]) -> None:
        """Keep how the handshake was answered."""
        ...

    def response_body(self, chunk: bytes) -> None:
        """Keep a chunk of the body by which it was denied."""
        ...

    def response_end(self, complete: bool) -> None:
        """Keep whether the conversation was ended by its sides."""
        ...

    def said(self, message: Message) -> None:
        """Take note of a message that went out."""
        ...

    def said_elsewhere(self, message: Message) -> None:
        """Take note of a message that other code than the recorded one has sent."""
        ...


def _as_it_is(message: Message) -> Message:
    return message


class ConversationTee:
    """`receive` and `send` of a web socket, kept as they pass.

    Args:
        keeper: the scope, recording or replaying.
        receive: the server's.
        send: the server's.
        outgoing: returns the message that goes out for one that the application sends, with
            headers of ours, say; what is kept is the application's.
    """

    def __init__(
        self,
        keeper: Keeper,
        receive: Receive,
        send: Send,
        outgoing: Callable[[Message], Message] = _as_it_is,
    ) -> None:
        self._keeper = keeper
        self._receive = receive
        self._send = send
        self._outgoing = outgoing
        self._accepted = False
        self._lost = False

    async def receive(self) -> Message:
        """Return the server's next message; an event of the lane that asked."""
        lane = self._own(current())
        if lane is None:
            message = await self._receive()
        else:
            message = await call_async(lane, RECEIVED, None, self._receive)
        if message["type"] == "websocket.disconnect" and message.get("code") == _ABNORMAL:
            self._lost = True
        return message

    async def send(self, message: Message) -> None:
        """Send a message; that it went out, or could not, is an event of the lane that sent it."""
        with failsafe.gate("conversation"):
            self._note(message)
        outgoing = self._outgoing(message)
        lane = self._own(current())
        if lane is None:
            with mask():  # it may be another recording's lane, and is no call of that request
                await self._send(outgoing)
            self._keeper.said_elsewhere(kept(message))
            return
        await call_async(
            lane, SENT, message["type"], lambda: self._send(outgoing), lambda _: kept(message)
        )
        self._keeper.said(kept(message))

    def ended(self) -> None:
        """Take note that the application has returned: it is over, unless the peer was lost."""
        self._keeper.response_end(complete=not self._lost)

    def _own(self, lane: Any) -> Lane | None:
        """Return the lane where it is one of this recording."""
        if isinstance(lane, Lane) and cast("object", lane.scope) is self._keeper:
            return lane
        return None

    def _note(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            self._accepted = True
            headers: list[tuple[bytes, bytes]] = list(message.get("headers") or [])
            if message.get("subprotocol"):
                headers.append((b"sec-websocket-protocol", message["subprotocol"].encode()))
            self._keeper.response_start(_SWITCHING, "", headers)
        elif kind == "websocket.http.response.start":
            self._accepted = True  # answered, that is
            self._keeper.response_start(message["status"], "", list(message.get("headers") or []))
        elif kind == "websocket.http.response.body":
            self._keeper.response_body(message.get("body", b""))
        elif kind == "websocket.close" and not self._accepted:
            self._keeper.response_start(_FORBIDDEN, "", [])  # what servers make of it


def kept(message: Message) -> Message:
    """Return a message as it is recorded: what may change as bytes, an open file not at all."""
    for name, value in message.items():
        if name == "file" or isinstance(value, memoryview | bytearray):
            break
    else:
        return message
    return {
        name: bytes(value) if isinstance(value, memoryview | bytearray) else value
        for name, value in message.items()
        if name != "file"
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a recorded conversation."""

    by: Literal["client", "app", "elsewhere"]
    """The peer, the recorded code, or other code of the process."""
    message: dict[str, Any]
    """As ASGI has it."""
    lane: str
    seq: int
    end_us: int
    """When it came, or had gone out, in microseconds since the scope was opened."""


def messages(recording: Recording) -> list[Said]:
    """Return the recorded messages in order: of HTTP those sent that are neither head nor body."""
    return sorted(_said(recording), key=lambda said: said.seq)


def _said(recording: Recording) -> Iterator[Said]:
    sides: dict[str, Literal["client", "app", "elsewhere"]] = {
        RECEIVED: "client",
        SENT: "app",
        ELSEWHERE: "elsewhere",
    }
    conversing = recording.request.protocol == WEBSOCKET
    for lane in recording.lanes:
        for event in lane.events:
            if (
                isinstance(event, Event)
                and event.kind in sides
                and (conversing or event.kind == SENT)
                and event.status == RETURNED
                and isinstance(event.value, dict)
            ):
                yield Said(
                    by=sides[event.kind],
                    message=event.value,
                    lane=lane.id,
                    seq=event.seq,
                    end_us=event.end_us,
                )
