"""aiokafka's consumer: what comes, and what it says of offsets and partitions.

Hooks: the methods of `AIOKafkaConsumer`; each that a request calls is an event, also those that
only read what the consumer knows, since on replay none is connected. Iteration comes to `getone`.
What a task of the process consumes is nobody's event, and on replay nothing comes there. Read in
aiokafka 0.11 to 0.14.
"""

from __future__ import annotations

from typing import Any

from aiokafka.consumer.consumer import AIOKafkaConsumer

from retrace_core.boundary import Boundary, Patch
from retrace_core.brokers.kafka.asked_in_tasks import (
    asking,
    asking_async,
    closing,
    for_process,
    making,
    nothing_comes,
    opening,
    silent_when_unmade,
)

_KIND = "aiokafka"


async def _no_message(*_: Any) -> None:
    await nothing_comes()


async def _no_messages(*_: Any, timeout_ms: float = 0, **__: Any) -> dict[Any, Any]:
    await nothing_comes(timeout_ms / 1000)
    return {}


_NOTHING = for_process(None)
_ASYNC: dict[str, tuple[tuple[str, ...], Any]] = {
    "getone": (("*",), _no_message),
    "getmany": (("*",), _no_messages),
    "commit": (("offsets",), _NOTHING),
    "committed": (("partition",), None),
    "topics": ((), None),
    "position": (("partition",), None),
    "seek_to_beginning": (("*",), _NOTHING),
    "seek_to_end": (("*",), _NOTHING),
    "seek_to_committed": (("*",), _NOTHING),
    "offsets_for_times": (("timestamps",), None),
    "beginning_offsets": (("partitions",), None),
    "end_offsets": (("partitions",), None),
}
"""Method -> what stands in its key, and what it answers the process on replay."""
_SYNC: dict[str, tuple[tuple[str, ...], Any]] = {
    "assign": (("partitions",), _NOTHING),
    "assignment": ((), for_process(set())),
    "partitions_for_topic": (("topic",), None),
    "highwater": (("partition",), _NOTHING),
    "last_stable_offset": (("partition",), _NOTHING),
    "last_poll_timestamp": (("partition",), _NOTHING),
    "seek": (("partition", "offset"), _NOTHING),
    "subscribe": (("topics", "pattern"), _NOTHING),
    "subscription": ((), for_process(frozenset())),
    "unsubscribe": ((), _NOTHING),
    "pause": (("*",), _NOTHING),
    "paused": ((), for_process(set())),
    "resume": (("*",), _NOTHING),
}

BOUNDARY = Boundary(
    kind=_KIND,
    supports="aiokafka>=0.11",
    hooks=(
        Patch(AIOKafkaConsumer, "__init__", making(f"{_KIND}.consumer")),
        Patch(AIOKafkaConsumer, "__del__", silent_when_unmade),
        Patch(AIOKafkaConsumer, "start", opening(f"{_KIND}.consumer")),
        Patch(AIOKafkaConsumer, "stop", closing(f"{_KIND}.consumer")),
        *(Patch(AIOKafkaConsumer, name, asking_async(_KIND, *how)) for name, how in _ASYNC.items()),
        *(Patch(AIOKafkaConsumer, name, asking(_KIND, *how)) for name, how in _SYNC.items()),
    ),
    errors=("aiokafka.errors",),
)
