"""kafka-python's consumer: what comes, and what it says of offsets and partitions.

Hooks: the methods of `KafkaConsumer`, iteration among them; each that a request calls is an
event, also those that only read what the consumer knows, since on replay none is made. What a
thread of the process consumes is nobody's event, and on replay nothing comes there. Read in
kafka-python 2.0 to 3.0.
"""

from __future__ import annotations

from typing import Any

from kafka.consumer.group import KafkaConsumer

from retrace_core.boundary import Boundary, Patch
from retrace_core.brokers.kafka.asked_in_tasks import asking, for_process
from retrace_core.brokers.kafka.making import forgotten, not_made_on_replay
from retrace_core.brokers.pause import pause

_KIND = "kafka"


def _stand_in(consumer: Any, *_: Any, **configs: Any) -> None:
    consumer.config = {**KafkaConsumer.DEFAULT_CONFIG, **configs}
    consumer._closed = True


def _no_messages(timeout_ms: float = 0, *_: Any, **__: Any) -> dict[Any, Any]:
    pause(timeout_ms / 1000)
    return {}


def _no_message() -> None:
    try:
        pause(None)
    except RuntimeError:
        raise StopIteration from None


_NOTHING = for_process(None)
_METHODS: dict[str, tuple[tuple[str, ...], Any]] = {
    "__next__": ((), _no_message),
    "poll": ((), _no_messages),
    "close": ((), _NOTHING),
    "commit": (("offsets",), _NOTHING),
    "commit_async": (("offsets",), _NOTHING),
    "committed": (("partition",), None),
    "topics": ((), None),
    "partitions_for_topic": (("topic",), None),
    "position": (("partition",), None),
    "highwater": (("partition",), _NOTHING),
    "offsets_for_times": (("timestamps",), None),
    "beginning_offsets": (("partitions",), None),
    "end_offsets": (("partitions",), None),
    "assign": (("partitions",), _NOTHING),
    "assignment": ((), for_process(set())),
    "subscribe": (("topics", "pattern"), _NOTHING),
    "subscription": ((), for_process(set())),
    "unsubscribe": ((), _NOTHING),
    "seek": (("partition", "offset"), _NOTHING),
    "seek_to_beginning": (("*",), _NOTHING),
    "seek_to_end": (("*",), _NOTHING),
    "pause": (("*",), _NOTHING),
    "paused": ((), for_process(set())),
    "resume": (("*",), _NOTHING),
    "bootstrap": ((), _NOTHING),
    "bootstrap_connected": ((), for_process(False)),
    "metrics": ((), for_process({})),
}
"""Method -> what stands in its key, and what it answers the process on replay."""

BOUNDARY = Boundary(
    kind=_KIND,
    supports="kafka-python>=2.0",
    hooks=(
        *(Patch(cls, "__del__", forgotten) for cls in [KafkaConsumer] if hasattr(cls, "__del__")),
        Patch(KafkaConsumer, "__init__", not_made_on_replay(f"{_KIND}.KafkaConsumer", _stand_in)),
        *(
            Patch(KafkaConsumer, name, asking(_KIND, *how))
            for name, how in _METHODS.items()
            if hasattr(KafkaConsumer, name)
        ),
    ),
    errors=("kafka.errors",),
)
