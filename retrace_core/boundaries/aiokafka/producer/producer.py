"""aiokafka's producer: what is sent, and what became of it.

Hooks: the methods of `AIOKafkaProducer`, above the batches in which messages of all requests are
sent together. `send_and_wait` comes to `send`. Serializers are the application's code, and run
on replay for the event's key. Starting and stopping are events only when they fail; on replay
nothing is connected. Read in aiokafka 0.11 to 0.14.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from aiokafka.producer.producer import AIOKafkaProducer

from retrace_core.boundary import Boundary, Patch, call_async, in_replay
from retrace_core.brokers.kafka.asked_in_tasks import (
    asking_async,
    closing,
    for_process,
    making,
    opening,
    silent_when_unmade,
)
from retrace_core.brokers.kafka.message import message_key
from retrace_core.brokers.kafka.plain_values import packed, unpacked
from retrace_core.brokers.message_headers import carrying
from retrace_core.brokers.sent_later import later
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND = "aiokafka"
_MESSAGE = ("topic", "value", "key", "partition", "timestamp_ms", "headers")


def _nothing(_: Any) -> None:
    return None


def _message_key(producer: Any, given: dict[str, Any]) -> object:
    key, value = (_bytes(producer, name, given.get(name)) for name in ("key", "value"))
    return message_key(given.get("topic"), key, value, given.get("partition"), given.get("headers"))


def _bytes(producer: Any, name: str, data: Any) -> Any:
    serializer = getattr(producer, f"_{name}_serializer", None)
    try:
        return data if serializer is None else serializer(data)
    except Exception:  # noqa: BLE001  # the producer tells the application
        return data


async def _sent(producer: Any, name: str, key: object, live: Callable[[], Any]) -> Any:
    """Return the future of what is sent, which is an event, and what it comes to another."""
    lane, kind = current(), f"{_KIND}.{name}"

    async def ask() -> Any:
        if in_replay() or getattr(producer, "_retrace_unmade", False):
            raise LiveCallRefused(kind, str(key))
        return await live()

    if lane is None:
        return await ask()
    future = await call_async(lane, kind, key, ask, _nothing)
    return later(lane, f"{_KIND}.delivered", future, packed, unpacked)


def _hooked_send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def send(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        given = {**dict(zip(_MESSAGE, args, strict=False)), **options}
        key = None if lane is None else _message_key(self, given)
        carried = carrying(lane, given.get("headers"), as_bytes=True)
        if carried is not None:
            given["headers"] = carried
        return await _sent(self, "send", key, functools.partial(original, self, **given))

    return send


def _hooked_send_batch(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def send_batch(self: Any, batch: Any, topic: Any, **options: Any) -> Any:
        key = [str(topic), options.get("partition"), batch.record_count()]
        live = functools.partial(original, self, batch, topic, **options)
        return await _sent(self, "send_batch", key, live)

    return send_batch


BOUNDARY = Boundary(
    kind=_KIND,
    supports="aiokafka>=0.11",
    hooks=(
        Patch(AIOKafkaProducer, "__init__", making(f"{_KIND}.producer")),
        Patch(AIOKafkaProducer, "__del__", silent_when_unmade),
        Patch(AIOKafkaProducer, "start", opening(f"{_KIND}.producer")),
        Patch(AIOKafkaProducer, "stop", closing(f"{_KIND}.producer")),
        Patch(AIOKafkaProducer, "send", _hooked_send),
        Patch(AIOKafkaProducer, "send_batch", _hooked_send_batch),
        Patch(AIOKafkaProducer, "flush", asking_async(_KIND, (), for_process(None))),
        Patch(AIOKafkaProducer, "partitions_for", asking_async(_KIND, ("topic",))),
        *(
            Patch(AIOKafkaProducer, name, asking_async(_KIND, ()))
            for name in ("begin_transaction", "commit_transaction", "abort_transaction")
        ),
        Patch(
            AIOKafkaProducer,
            "send_offsets_to_transaction",
            asking_async(_KIND, ("offsets", "group_id")),
        ),
    ),
    errors=("aiokafka.errors",),
)
