"""nats-py's subscriptions: each message that is waited for is an event.

Hooks: `Subscription.next_msg`, `unsubscribe`, `drain`, how many were delivered, and `__anext__` of
its iterator. Callbacks are hooked where they are handed over (`client.py`). Read in nats-py 2.9 to
2.16.
"""

from __future__ import annotations

from typing import Any

from nats.aio import subscription
from nats.aio.subscription import Subscription

from retrace_core.boundary import Boundary, Patch
from retrace_core.brokers.nats.sent_message import message_of, packed_message
from retrace_core.brokers.server_calls import asking, read, waiting

_Iterator: Any = subscription._SubscriptionMessageIterator


def _subject(sub: Any, *_: Any, **__: Any) -> object:
    return str(sub._subject)


def _subject_of_iterator(iterator: Any) -> object:
    return str(iterator._sub._subject)


def _message_of(sub: Any) -> Any:
    return message_of(sub._conn)


def _message_of_iterator(iterator: Any) -> Any:
    return message_of(iterator._sub._conn)


def _ended(sub: Any, limit: int = 0) -> None:
    sub._closed = sub._closed or limit == 0


BOUNDARY = Boundary(
    kind="nats",
    supports="nats-py>=2.9",
    hooks=(
        Patch(
            Subscription, "next_msg", waiting("nats.message", _subject, packed_message, _message_of)
        ),
        Patch(
            _Iterator,
            "__anext__",
            waiting("nats.message", _subject_of_iterator, packed_message, _message_of_iterator),
        ),
        Patch(Subscription, "delivered", read("nats.delivered")),
        Patch(Subscription, "unsubscribe", asking("nats.unsubscribe", _subject, after=_ended)),
        Patch(Subscription, "drain", asking("nats.unsubscribe", _subject, after=_ended)),
    ),
    errors=("nats.errors",),
)
