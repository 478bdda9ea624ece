"""kafka-python's producer: what is sent, and what became of it.

Hooks: the methods of `KafkaProducer`. The future that `send` returns gets its result in a lane of
its own, in which its callbacks run; waiting for it is an event. Serializers are the application's
code, and run on replay for the event's key. Making a producer is an event only when it fails; on
replay it has no thread and connects to nothing. Read in kafka-python 2.0 to 3.0.
"""

from __future__ import annotations

import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any

from kafka.errors import KafkaTimeoutError
from kafka.future import Future
from kafka.producer.future import FutureRecordMetadata
from kafka.producer.kafka import KafkaProducer

from retrace_core.boundary import Boundary, Patch, call, in_replay
from retrace_core.brokers.client_calls import ClientCalls
from retrace_core.brokers.kafka.asked_in_tasks import asking, for_process
from retrace_core.brokers.kafka.making import forgotten, not_made_on_replay
from retrace_core.brokers.kafka.message import message_key
from retrace_core.brokers.kafka.plain_values import packed, unpacked
from retrace_core.brokers.message_headers import carrying
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

_KIND = "kafka"
_MESSAGE = ("topic", "value", "key", "headers", "partition", "timestamp_ms")


def _stand_in(producer: Any, **configs: Any) -> None:
    producer.config = {**KafkaProducer.DEFAULT_CONFIG, **configs}
    producer._closed = True


def _nothing(_: Any) -> None:
    return None


# -- what it comes to


class _Sent(FutureRecordMetadata):  # type: ignore[misc]  # it comes without types
    """What a request gets for a message: its result is an event, and waiting for it."""

    def __init__(self) -> None:
        Future.__init__(self)
        self._came = threading.Event()

    def told(self, failed: bool, value: Any) -> None:
        """Take what the message came to, and call who waits for it."""
        try:
            (self.failure if failed else self.success)(value)
        finally:
            self._came.set()

    def get(self, timeout: float | None = None) -> Any:
        """Return the record's metadata, or raise what came of it instead."""
        lane = current()
        if lane is None:
            came = self._came.wait(timeout)
        else:
            came = call(lane, f"{_KIND}.get", None, lambda: self._came.wait(timeout))
            if came:
                self._came.wait()  # on replay, until the call that brings it has been made
        if not came:
            raise KafkaTimeoutError(f"Timeout after waiting for {timeout} secs.")
        if self.failed():
            raise self.exception
        return self.value


def _future(lane: Lane, live: Any) -> _Sent:
    sent = _Sent()
    told = ClientCalls(lane, sent.told, packed, unpacked)
    if live is not None:
        live.add_callback(functools.partial(told, False))
        live.add_errback(functools.partial(told, True))
    return sent


# -- what is sent


def _bytes(producer: Any, which: str, topic: Any, headers: Any, data: Any) -> Any:
    """Return what a serializer makes of a key or value: one of any version of the library."""
    serializer = producer.config.get(which)
    if serializer is None:
        return data
    serialize = getattr(serializer, "serialize", None)
    try:
        if serialize is None:
            return serializer(data)
        takes_headers = len(inspect.signature(serialize).parameters) > 2
        return serialize(topic, headers or [], data) if takes_headers else serialize(topic, data)
    except Exception:  # noqa: BLE001  # the producer tells the application
        return data


def _hooked_send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(self: Any, *args: Any, **options: Any) -> Any:
        lane, given = current(), {**dict(zip(_MESSAGE, args, strict=False)), **options}
        topic, headers = given.get("topic"), given.get("headers")

        def live() -> Any:
            if in_replay() or getattr(self, "_retrace_unmade", False):
                raise LiveCallRefused(f"{_KIND}.send", str(topic))
            carried = carrying(lane, headers, as_bytes=True)
            if carried is not None:
                given["headers"] = carried
            return original(self, **given)

        if lane is None:
            return live()
        key, value = (
            _bytes(self, f"{name}_serializer", topic, headers, given.get(name))
            for name in ("key", "value")
        )
        asked = message_key(topic, key, value, given.get("partition"), headers)
        future = call(lane, f"{_KIND}.send", asked, live, _nothing)
        if is_request(lane):
            return _future(lane, future)
        return _Sent() if future is None else future

    return send


_NOTHING = for_process(None)
_OTHERS: dict[str, tuple[tuple[str, ...], Any]] = {
    "flush": ((), _NOTHING),
    "close": ((), _NOTHING),
    "partitions_for": (("topic",), None),
    "bootstrap_connected": ((), for_process(False)),
    "metrics": ((), for_process({})),
    "init_transactions": ((), None),
    "begin_transaction": ((), None),
    "send_offsets_to_transaction": (("offsets",), None),
    "commit_transaction": ((), None),
    "abort_transaction": ((), None),
}
"""Method -> what stands in its key, and what it answers the process on replay."""

BOUNDARY = Boundary(
    kind=_KIND,
    supports="kafka-python>=2.0",
    hooks=(
        *(Patch(cls, "__del__", forgotten) for cls in [KafkaProducer] if hasattr(cls, "__del__")),
        Patch(KafkaProducer, "__init__", not_made_on_replay(f"{_KIND}.KafkaProducer", _stand_in)),
        Patch(KafkaProducer, "send", _hooked_send),
        *(
            Patch(KafkaProducer, name, asking(_KIND, *how))
            for name, how in _OTHERS.items()
            if hasattr(KafkaProducer, name)
        ),
    ),
    errors=("kafka.errors",),
)
