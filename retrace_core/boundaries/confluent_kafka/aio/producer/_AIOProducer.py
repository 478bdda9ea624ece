"""confluent-kafka's asyncio producer: what is sent, and what became of it.

Hooks: the coroutine methods of `AIOProducer`, above the batches in which messages of all requests
are sent together. The consumer's methods come to those of the client in C. Read in
confluent-kafka 2.16.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from confluent_kafka import cimpl
from confluent_kafka.aio.producer import _AIOProducer as of_producer

from retrace_core.boundary import Boundary, Patch, attempt, call_async, in_replay, mask
from retrace_core.brokers.kafka.confluent import mend, packed, packed_error, position_key, unpacked
from retrace_core.brokers.kafka.message import message_key
from retrace_core.brokers.sent_later import later
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

_AIOProducer: Any = of_producer.AIOProducer
_C: Any = cimpl
_KIND = "confluent_kafka.aio"
_MESSAGE = ("topic", "value", "key")
_OF_PROCESS = {"flush": 0, "poll": 0, "purge": None, "close": None}


async def _asked(lane: Any, kind: str, key: object, ask: Callable[[], Any], pack: Any) -> Any:
    async def live() -> Any:
        if in_replay():
            raise LiveCallRefused(kind, str(key))
        try:
            return await ask()
        except _C.KafkaException as error:
            packed_error(error)
            raise

    try:
        return await call_async(lane, kind, key, live, pack, unpacked)
    except _C.KafkaException as error:
        mend(error)
        raise


def _hooked_init(original: Callable[..., None]) -> Callable[..., None]:
    """Hook the making of one: the task that watches the time of batches is nobody's."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
        def live() -> None:
            with mask():
                original(self, *args, **options)

        lane = current()
        if lane is None:
            live()
            return
        try:
            attempt(lane, f"{_KIND}.AIOProducer", None, functools.partial(_keeping, live), live)
        except _C.KafkaException as error:
            mend(error)
            raise

    return __init__


def _keeping(ask: Callable[[], None]) -> None:
    try:
        ask()
    except _C.KafkaException as error:
        packed_error(error)
        raise


def _hooked_produce(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def produce(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            if in_replay():
                raise LiveCallRefused(f"{_KIND}.produce", "")
            return await original(self, *args, **options)
        given = {**dict(zip(_MESSAGE, args, strict=False)), **options}
        names = ("topic", "key", "value", "partition", "headers")
        key = message_key(*(given.get(name) for name in names))
        live = functools.partial(original, self, *args, **options)
        future = await _asked(lane, f"{_KIND}.produce", key, live, lambda _: None)
        return later(lane, f"{_KIND}.delivered", future, packed, unpacked)

    return produce


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    name = original.__name__

    @functools.wraps(original)
    async def asking(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or (name in _OF_PROCESS and not is_request(lane)):
            if not in_replay():
                return await original(self, *args, **options)
            if name in _OF_PROCESS:
                return _OF_PROCESS[name]
            raise LiveCallRefused(f"{_KIND}.{name}", "")
        key = [position_key(one) for one in args if not isinstance(one, int | float)]
        live = functools.partial(original, self, *args, **options)
        return await _asked(lane, f"{_KIND}.{name}", key or None, live, packed)

    return asking


_METHODS = [
    name
    for name, value in vars(_AIOProducer).items()
    if not name.startswith("_") and inspect.iscoroutinefunction(value)
]

BOUNDARY = Boundary(
    kind=_KIND,
    supports="confluent-kafka>=2.12",
    hooks=(
        Patch(_AIOProducer, "__init__", _hooked_init),
        *(
            Patch(_AIOProducer, name, _hooked_produce if name == "produce" else _hooked)
            for name in _METHODS
        ),
    ),
    errors=("confluent_kafka.cimpl",),
)
