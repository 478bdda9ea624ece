"""confluent-kafka's asyncio clients: what is sent and received comes back with the broker gone.

The broker is librdkafka's mock of one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition

from tests.kafka_broker import kafka_broker
from tests.recorded import answer_of, assert_identical, record_asgi

aio = pytest.importorskip("confluent_kafka.aio")

if TYPE_CHECKING:
    from pathlib import Path


def _told(message: Any) -> list[Any]:
    return [message.partition(), message.offset(), *message.timestamp(), message.value().decode()]


def test_a_message_is_awaited_that_a_batch_of_the_process_sends(recordings: Path) -> None:
    """Two are sent together when the time of their batch has passed, another by a flush."""
    with kafka_broker() as broker:

        async def view() -> list[Any]:
            settings = {"bootstrap.servers": broker.address, "log_level": 0}
            async with aio.AIOProducer(settings, buffer_timeout=0.1) as producer:
                futures = [await producer.produce("orders", b"%d" % n, b"k") for n in range(2)]
                found = [_told(await one) for one in futures]
                last = await producer.produce("orders", b"last", partition=0)
                left = await producer.flush()
                return [*found, left, _told(await last)]

        app, recording = record_asgi(recordings, view)
    assert answer_of(recording)[-1][-1] == "last"
    assert_identical(recording, app)


def test_messages_are_received_again(recordings: Path) -> None:
    """A consumer of the request's own."""
    with kafka_broker() as broker:

        async def view() -> list[Any]:
            settings = {"bootstrap.servers": broker.address, "log_level": 0}
            async with aio.AIOProducer(dict(settings), buffer_timeout=0.1) as producer:
                await (await producer.produce("orders", b"one", partition=0))
            consumer = aio.AIOConsumer({**settings, "group.id": "g"})
            await consumer.assign([TopicPartition("orders", 0, 0)])
            message = await consumer.poll(20)
            await consumer.close()
            return _told(message)

        app, recording = record_asgi(recordings, view)
    assert answer_of(recording)[-1] == "one"
    assert_identical(recording, app)


def test_failures_are_raised_again(recordings: Path) -> None:
    """No broker, in time."""

    async def view() -> list[Any]:
        settings = {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 200, "log_level": 0}
        producer = aio.AIOProducer(settings, buffer_timeout=0.1)
        future = await producer.produce("orders", b"one")
        await producer.flush()
        try:
            await asyncio.wait_for(future, 20)
        except Exception as error:
            return [type(error).__name__, error.args[0].code()]
        finally:
            await producer.close()
        return []

    app, recording = record_asgi(recordings, view)
    assert answer_of(recording)[0] == "KafkaException"
    assert_identical(recording, app)
