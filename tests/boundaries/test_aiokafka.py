"""aiokafka: messages, what became of them, and what comes, are there again with the broker gone.

The broker is librdkafka's mock of one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from tests.kafka_broker import kafka_broker
from tests.kafka_replays import replay_connects_to_nothing
from tests.recorded import answer_of, assert_identical, record_asgi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _serialized(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_messages_are_sent_and_awaited(recordings: Path) -> None:
    """By `send_and_wait`, by a future, by neither; idempotent, with a serializer."""
    with kafka_broker() as broker:

        async def view() -> list[Any]:
            settings = {"bootstrap_servers": broker.address, "value_serializer": _serialized}
            async with AIOKafkaProducer(**settings, enable_idempotence=True) as producer:
                one = await producer.send_and_wait("orders", {"n": 1}, key=b"ann")
                futures = [await producer.send("orders", n, partition=0) for n in range(3)]
                await producer.send("orders", "nobody waits for it")
                found = [one, *await asyncio.gather(*futures)]
                await producer.flush()
                partitions = sorted(await producer.partitions_for("orders"))
                return [*found, partitions, type(found[0]).__name__]

        app, recording = record_asgi(recordings, view)
    assert answer_of(recording)[-1] == "RecordMetadata"
    sent = [one for lane in recording.lanes for one in lane.events if one.kind == "aiokafka.send"]
    assert sent[0].key == ["orders", b"ann", b'{"n": 1}', None, []]
    assert_identical(recording, app)


def test_messages_are_received_again(recordings: Path) -> None:
    """A consumer of the request's own: assigned, one, many, positions, committed."""
    with kafka_broker() as broker:

        async def view() -> list[Any]:
            async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
                for n in range(3):
                    headers = [("n", b"\x01")]
                    await producer.send_and_wait("orders", b"%d" % n, partition=0, headers=headers)
            place = TopicPartition("orders", 0)
            consumer = AIOKafkaConsumer(
                bootstrap_servers=broker.address,
                group_id="g",
                auto_offset_reset="earliest",
                value_deserializer=json.loads,
            )
            consumer.assign([place])
            async with consumer:
                first = await consumer.getone()
                more = await consumer.getmany(timeout_ms=1000)
                await consumer.commit({place: 2})
                said = [await consumer.committed(place), await consumer.position(place)]
                ends = await consumer.end_offsets([place])
                return [repr(first), repr(more), said, ends[place], repr(consumer.assignment())]

        app, recording = record_asgi(recordings, view)
    first, _, (committed, _), end, _ = answer_of(recording)
    assert "value=0" in first and [committed, end] == [2, 3]
    assert_identical(recording, app)


def test_failures_are_raised_again(recordings: Path) -> None:
    """No broker, and a message that is too large."""
    with kafka_broker() as broker:

        async def view() -> list[str]:
            found = []
            gone = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
            try:
                await gone.start()
            except KafkaError as error:
                found.append(repr(error))
            finally:
                await gone.stop()
            async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
                try:
                    await producer.send("orders", b"x" * 2_000_000)
                except KafkaError as error:
                    found.append(repr(error))
            return found

        app, recording = record_asgi(recordings, view)
    assert [one.split("(")[0] for one in answer_of(recording)] == [
        "KafkaConnectionError",
        "MessageSizeTooLargeError",
    ]
    assert_identical(recording, app)


def test_the_trace_goes_along(recordings: Path) -> None:
    """Its header is sent beside the application's own, and stands in no key."""
    with kafka_broker() as broker:

        async def view() -> list[str]:
            async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
                own = [("own", b"yes")]
                await producer.send_and_wait("orders", b"one", partition=0, headers=own)
            consumer = AIOKafkaConsumer(
                bootstrap_servers=broker.address, auto_offset_reset="earliest"
            )
            consumer.assign([TopicPartition("orders", 0)])
            async with consumer:
                message = await consumer.getone()
            return [f"{name}: {value.decode()}" for name, value in message.headers]

        app, recording = record_asgi(recordings, view)
    sent = dict(one.split(": ") for one in answer_of(recording))
    assert sent["own"] == "yes" and recording.header.trace_id in sent["traceparent"]
    (event,) = [one for one in recording.lanes[0].events if one.kind == "aiokafka.send"]
    assert "traceparent" not in str(event.key)
    assert_identical(recording, app)


APPLICATION = """
import asyncio, os
from contextlib import asynccontextmanager
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI
from retrace_mw import RetraceMiddleware


async def consume(consumer):
    async for message in consumer:
        seen.append(message.value)


seen, clients = [], {}


async def started():
    if "producer" not in clients:
        settings = {"bootstrap_servers": os.environ["KAFKA"]}
        clients["producer"] = AIOKafkaProducer(**settings)
        await clients["producer"].start()
        consumer = AIOKafkaConsumer("others", **settings)
        await consumer.start()
        clients["task"] = asyncio.create_task(consume(consumer))


@asynccontextmanager
async def lifespan(app):
    await started()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def view():
    return list(await clients["producer"].send_and_wait("orders", b"one"))


app.add_middleware(RetraceMiddleware)
"""
_RUN = """
import asyncio, sys
import httpx
from retrace_core import writer
from application import app, started


async def main():
    await started()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        print((await client.get("/")).text)


asyncio.run(main())
assert writer.flush(10)
"""


def test_a_fresh_process_connects_to_nothing(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The producer is the process's, made at its start, and so is a consumer that waits."""
    recordings.parent.joinpath("application.py").write_text(APPLICATION)
    folder = recordings.parent
    with kafka_broker() as broker:
        monkeypatch.setenv("KAFKA", broker.address)
        done = subprocess.run(
            [sys.executable, "-c", _RUN], cwd=folder, capture_output=True, text=True, timeout=100
        )
    assert done.stdout.startswith('["orders",'), done.stdout + done.stderr
    replay_connects_to_nothing(recordings)
