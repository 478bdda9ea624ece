"""A broker of Kafka on loopback: librdkafka's mock of one, in a process of its own.

It speaks the protocol, and keeps what it is sent in memory: producing (idempotent too), fetching,
groups of consumers. It is no Kafka: of administration it knows only the metadata, and topics are
made by being named.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tests.server_process import ends_with_us

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = """
import sys
from confluent_kafka import Producer

holder = Producer({"test.mock.num.brokers": 1, "log_level": 0})
(broker,) = holder.list_topics(timeout=10).brokers.values()
print(f"{broker.host}:{broker.port}", flush=True)
sys.stdin.read()
"""


@dataclass
class KafkaBroker:
    """A broker that a test may stop."""

    process: subprocess.Popen[str]
    address: str
    """As `bootstrap.servers` has it."""

    def stop(self) -> None:
        """End it at once; harmless when it is stopped."""
        self.process.kill()
        self.process.wait(30)
        for stream in (self.process.stdin, self.process.stdout):
            _close(stream)


def _close(stream: IO[str] | None) -> None:
    if stream is not None:
        stream.close()


@contextmanager
def kafka_broker() -> Iterator[KafkaBroker]:
    """Yield a running broker; it is stopped at the end."""
    command = [*ends_with_us(), sys.executable, "-c", _PROGRAM]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    broker = KafkaBroker(process, address)
    try:
        assert address, "the broker did not start"
        yield broker
    finally:
        broker.stop()
