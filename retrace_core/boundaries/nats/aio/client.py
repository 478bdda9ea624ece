"""nats-py's client: what is published, requested and subscribed to.

Hooks: the methods of `Client` that talk to the server, above the tasks of the process that read
and write for all requests; JetStream, its buckets of keys and objects come down to them. Below:
`_select_next_server` and `_process_connect_init` of `connect`. A request's callback of a
subscription is called on replay as it was; one of the start-up is not called. Read in
nats-py 2.9 to 2.16.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.aio.subscription import Subscription

from retrace_core.boundary import Boundary, Patch, call_async, in_replay, mask
from retrace_core.brokers.nats.called_in_turn import InTurn
from retrace_core.brokers.nats.sent_message import message_key, message_of, packed_message
from retrace_core.brokers.nats.stand_in_server import (
    IS_STAND_IN,
    connecting,
    handshaking,
    selecting,
)
from retrace_core.brokers.server_calls import asking
from retrace_core.native import REPLAY, current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

_SUBSCRIBE = (
    *("subject", "queue", "cb", "future"),
    *("max_msgs", "pending_msgs_limit", "pending_bytes_limit"),
)


def _published(
    _: Any, subject: Any, payload: Any = b"", reply: Any = "", headers: Any = None
) -> object:
    return message_key(subject, payload, headers, reply)


def _requested(
    _: Any,
    subject: Any,
    payload: Any = b"",
    timeout: Any = None,
    old_style: Any = False,
    headers: Any = None,
) -> object:
    return message_key(subject, payload, headers)


def _nothing_asked(*_: Any, **__: Any) -> None:
    return None


def _as_it_is(value: Any) -> Any:
    return value


def _of_any(_: Any) -> Any:
    return _as_it_is


def _hooked_subscribe(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def subscribe(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args, **options)
        given = {**dict(zip(_SUBSCRIBE, args, strict=False)), **options}

        async def live() -> Any:
            return None if in_replay() else await original(self, **given)

        function, subject = given.get("cb"), str(given.get("subject"))
        if function is not None and is_request(lane) and lane.mode != REPLAY:
            given["cb"] = _in_turn(self, lane, subject, function)
        key = [subject, str(given.get("queue") or ""), given.get("max_msgs") or 0]
        found = await call_async(lane, "nats.subscribe", key, live, _nothing_asked)
        if lane.mode != REPLAY:
            return found
        if function is not None and is_request(lane):
            _in_turn(self, lane, subject, function)
        with mask():
            return _stand_in(self, **given)

    return subscribe


def _in_turn(client: Any, lane: Any, subject: Any, function: Any) -> Callable[..., Any]:
    turns = InTurn(lane, "nats.called", str(subject), function, packed_message, message_of(client))

    async def called(message: Any) -> None:
        await turns.called(message)

    return called


def _stand_in(client: Any, subject: str, queue: str = "", **options: Any) -> Any:
    """Return a subscription to which nothing comes."""
    client._sid += 1
    made: Any = Subscription(client, client._sid, subject, queue, **options)
    if options.get("cb") is None and options.get("future") is None:
        made._start(None)  # which makes its iterator, and no task
    return made


def _hooked_close(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        ask = asking(f"nats.{name}", _nothing_asked)(original)

        @functools.wraps(original)
        async def close(self: Any) -> None:
            lane = current()
            await ask(self)
            if lane is not None and lane.mode == REPLAY and getattr(self, IS_STAND_IN, False):
                with mask():  # it has nobody to take leave of, but tells who wants to know
                    await Client._close(self, Client.CLOSED)

        return close

    return hook


BOUNDARY = Boundary(
    kind="nats",
    supports="nats-py>=2.9",
    hooks=(
        Patch(Client, "connect", connecting),
        Patch(Client, "_select_next_server", selecting),
        Patch(Client, "_process_connect_init", handshaking),
        Patch(Client, "publish", asking("nats.publish", _published)),
        Patch(Client, "request", asking("nats.request", _requested, packed_message, message_of)),
        Patch(Client, "subscribe", _hooked_subscribe),
        Patch(Client, "flush", asking("nats.flush", _nothing_asked)),
        *(
            Patch(Client, "rtt", asking("nats.rtt", _nothing_asked, _as_it_is, _of_any))
            for _ in range(hasattr(Client, "rtt"))  # since 2.12
        ),
        Patch(Client, "drain", _hooked_close("drain")),
        Patch(Client, "close", _hooked_close("close")),
    ),
    errors=("nats.errors", "nats.js.errors"),
)
