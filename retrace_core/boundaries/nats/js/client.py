"""nats-py's JetStream: what is fetched, and what became of what is published without waiting.

Hooks: `PullSubscription.fetch`; `PushSubscription.next_msg` and `delivered`, which it has of its
own; `publish_async`, whose future other work of the process sets; the tasks that watch an ordered
consumer, which are nobody's. All else comes down to `Client`. Read in nats-py 2.9 to 2.16.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nats.js.client import JetStreamContext

from retrace_core.boundary import Boundary, Patch, call_async, in_replay, mask
from retrace_core.brokers.nats.sent_message import message_key, message_of, packed_message
from retrace_core.brokers.sent_later import later
from retrace_core.brokers.server_calls import asking, nothing_comes, read, waiting
from retrace_core.concurrency.handed_over import pack_handed_over, unpack_handed_over
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_Pull: Any = JetStreamContext.PullSubscription
_Push: Any = JetStreamContext.PushSubscription
_Watching: Any = JetStreamContext._JSI


def _fetched(sub: Any, batch: int = 1, *_: Any, **__: Any) -> object:
    return [str(sub._stream), str(sub._consumer), batch]


def _messages(found: Any) -> object:
    return [packed_message(one) for one in found]


def _messages_of(sub: Any) -> Callable[[Any], Any]:
    one_of = message_of(sub._nc)
    return lambda kept: [one_of(one) for one in kept]


def _subject(sub: Any) -> object:
    return str(sub._subject)


def _message_of(sub: Any) -> Any:
    return message_of(sub._conn)


def _nothing_asked(*_: Any, **__: Any) -> None:
    return None


def _hooked_publish_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def publish_async(
        self: Any, subject: str, payload: bytes = b"", *args: Any, **options: Any
    ) -> Any:
        lane = current()
        if lane is None:
            return await original(self, subject, payload, *args, **options)

        async def live() -> Any:
            if in_replay():
                raise LiveCallRefused("nats.publish_async", "a NATS server that is not there")
            return await original(self, subject, payload, *args, **options)

        key = message_key(subject, payload, options.get("headers"))
        future = await call_async(lane, "nats.publish_async", key, live, _nothing_asked)
        return later(lane, "nats.acknowledged", future, pack_handed_over, unpack_handed_over)

    return publish_async


def _hooked_watch(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def watch(self: Any) -> None:
        with mask():
            await (nothing_comes() if in_replay() else original(self))

    return watch


BOUNDARY = Boundary(
    kind="nats",
    supports="nats-py>=2.9",
    hooks=(
        Patch(_Pull, "fetch", asking("nats.fetch", _fetched, _messages, _messages_of)),
        Patch(_Pull, "delivered", read("nats.delivered")),
        Patch(_Push, "delivered", read("nats.delivered")),
        Patch(_Push, "next_msg", waiting("nats.message", _subject, packed_message, _message_of)),
        Patch(_Watching, "activity_check", _hooked_watch),
        Patch(_Watching, "check_flow_control_response", _hooked_watch),
        Patch(JetStreamContext, "publish_async", _hooked_publish_async),
        Patch(
            JetStreamContext,
            "publish_async_completed",
            asking("nats.acknowledged", _nothing_asked),
        ),
    ),
    errors=("nats.errors", "nats.js.errors"),
)
