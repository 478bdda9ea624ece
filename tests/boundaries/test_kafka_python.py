"""kafka-python: messages, what became of them, and what comes, with the broker gone.

The broker is librdkafka's mock of one, which asks this client to be told of an older version.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from tests.fresh import record_in_a_process
from tests.kafka_broker import kafka_broker
from tests.kafka_replays import replay_connects_to_nothing
from tests.recorded import answer_of, assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


OLDER = {"api_version": (2, 1)}


def _serialized(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_futures_and_their_callbacks_come_again(recordings: Path) -> None:
    """Waited for, called back, or done by a flush; the producer is the process's."""
    with kafka_broker() as broker:
        producer = KafkaProducer(
            bootstrap_servers=broker.address, value_serializer=_serialized, **OLDER
        )

        def view() -> list[Any]:
            came, told = threading.Event(), []

            def deliver(metadata: Any) -> None:
                told.append(list(metadata))
                came.set()

            waited = producer.send("orders", {"n": 1}, key=b"ann").get(timeout=10)
            producer.send("orders", {"n": 2}, partition=0).add_callback(deliver)
            came.wait()
            last = producer.send("orders", {"n": 3})
            producer.flush()
            partitions = sorted(producer.partitions_for("orders"))
            return [list(waited), told, last.succeeded(), last.value, partitions]

        app, recording = record_wsgi(recordings, view)
        producer.close()
    assert answer_of(recording)[2] is True
    sent = [one for one in recording.lanes[0].events if one.kind == "kafka.send"]
    assert sent[0].key == ["orders", b"ann", b'{"n": 1}', None, []]
    assert_identical(recording, app)


def test_messages_are_received_again(recordings: Path) -> None:
    """A consumer of the request's own: assigned, polled, iterated, positions, committed."""
    with kafka_broker() as broker:
        producer = KafkaProducer(bootstrap_servers=broker.address, **OLDER)
        for n in range(3):
            producer.send("orders", b"%d" % n, partition=0, headers=[("n", b"\x01")])
        producer.close()

        def view() -> list[Any]:
            consumer = KafkaConsumer(
                bootstrap_servers=broker.address,
                group_id="g",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                consumer_timeout_ms=1000,
                **OLDER,
            )
            place = TopicPartition("orders", 0)
            consumer.assign([place])
            found: list[Any] = [repr(consumer.poll(10_000, max_records=1))]
            found.append([repr(message) for message in consumer])
            consumer.commit()
            found.append([consumer.committed(place), consumer.position(place)])
            found.append([consumer.end_offsets([place])[place], repr(consumer.assignment())])
            consumer.close()
            return found

        app, recording = record_wsgi(recordings, view)
    body = answer_of(recording)
    assert len(body[1]) == 2 and body[2] == [3, 3] and body[3][0] == 3
    assert_identical(recording, app)


def test_failures_are_raised_again(recordings: Path) -> None:
    """No broker, a message that is too large, a time that is over."""
    with kafka_broker() as broker:
        producer = KafkaProducer(bootstrap_servers=broker.address, linger_ms=500, **OLDER)

        known = "bootstrap_timeout_ms" in KafkaProducer.DEFAULT_CONFIG  # since version 3
        soon = {"bootstrap_timeout_ms": 300} if known else {}

        def view() -> list[str]:
            found = []
            for ask in (
                lambda: KafkaProducer(bootstrap_servers="127.0.0.1:1", **soon),
                lambda: producer.send("orders", b"x" * 2_000_000).get(timeout=5),
                lambda: producer.send("orders", b"one").get(timeout=0.01),
            ):
                try:
                    ask()
                except KafkaError as error:
                    found.append(repr(error))
            return found

        app, recording = record_wsgi(recordings, view)
        producer.close()
    assert len(answer_of(recording)) == 3
    assert_identical(recording, app)


def test_the_trace_goes_along(recordings: Path) -> None:
    """Its header is sent beside the application's own, and stands in no key."""
    with kafka_broker() as broker:
        producer = KafkaProducer(bootstrap_servers=broker.address, **OLDER)

        def view() -> str:
            own = [("own", b"yes")]
            producer.send("orders", b"one", partition=0, headers=own).get(10)
            return "sent"

        app, recording = record_wsgi(recordings, view)
        producer.close()
        consumer = KafkaConsumer(
            bootstrap_servers=broker.address, auto_offset_reset="earliest", **OLDER
        )
        consumer.assign([TopicPartition("orders", 0)])
        sent = dict(next(consumer).headers)
        consumer.close()
    assert sent["own"] == b"yes"
    assert recording.header.trace_id.encode() in sent["traceparent"]
    (event,) = [one for one in recording.lanes[0].events if one.kind == "kafka.send"]
    assert "traceparent" not in str(event.key)
    assert_identical(recording, app)


APPLICATION = """
import os, threading
from kafka import KafkaConsumer, KafkaProducer
from fastapi import FastAPI
from retrace_mw import RetraceMiddleware

SETTINGS = {"bootstrap_servers": os.environ["KAFKA"], "api_version": (2, 1)}
producer = KafkaProducer(value_serializer=str.encode, **SETTINGS)
consumer = KafkaConsumer("others", group_id="g", **SETTINGS)


def consume():
    for message in consumer:
        print(message)


threading.Thread(target=consume, daemon=True).start()
app = FastAPI()


@app.get("/")
def view():
    return list(producer.send("orders", "one").get(timeout=10))


app.add_middleware(RetraceMiddleware)
"""


@pytest.mark.parametrize("tape", ["0", "1"], ids=["no boot tape", "boot tape"])
def test_a_fresh_process_connects_to_nothing(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, tape: str
) -> None:
    """No thread of the library is in the process of the replay."""
    with kafka_broker() as broker:
        monkeypatch.setenv("RETRACE_BOOT_TAPE", tape)
        monkeypatch.setenv("KAFKA", broker.address)
        answered = record_in_a_process(recordings, APPLICATION)
    assert answered.startswith('200 ["orders"')
    replay_connects_to_nothing(recordings)
