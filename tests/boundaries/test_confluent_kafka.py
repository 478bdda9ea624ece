"""confluent-kafka: messages, deliveries and what the broker says come back with it gone.

The broker is librdkafka's mock of one.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import (
    Consumer,
    KafkaException,
    Message,
    Producer,
    SerializingProducer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.serialization import StringSerializer

from retrace_core.brokers.kafka.confluent import packed, unpacked
from retrace_core.brokers.kafka.kept_message import KeptMessage
from tests.fresh import record_in_a_process
from tests.kafka_broker import kafka_broker
from tests.kafka_replays import replay_connects_to_nothing
from tests.recorded import answer_of, assert_identical, record_asgi, record_wsgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording


def _producer(address: str, **more: Any) -> Producer:
    return Producer({"bootstrap.servers": address, "log_level": 0, **more})


def _kinds(recording: Recording) -> list[str]:
    return [event.kind for lane in recording.lanes for event in lane.events]


def _told(error: Any, message: Any) -> list[Any]:
    position = [message.topic(), message.partition(), message.offset(), *message.timestamp()]
    return [str(error), *position, message.value().decode(), message.latency()]


def test_deliveries_are_told_again_while_a_request_polls(recordings: Path) -> None:
    """The callback runs within `flush`, and what it asks of clocks comes back too."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)

        def view() -> dict[str, Any]:
            told: list[Any] = []

            def deliver(error: Any, message: Any) -> None:
                told.append([*_told(error, message), time.time()])

            for number in range(3):
                producer.produce(
                    "orders",
                    json.dumps({"n": number}),
                    key=b"ann",
                    headers={"own": b"1"},
                    on_delivery=deliver,
                )
                producer.poll(0)
            left = producer.flush(10)
            return {"told": told, "left": left, "queued": len(producer)}

        app, recording = record_wsgi(recordings, view)
    body = answer_of(recording)
    assert len(body["told"]) == 3 and body["left"] == 0
    assert _kinds(recording).count("kafka.called") == 3
    assert_identical(recording, app)


def test_deliveries_are_told_again_by_a_thread_that_polls_for_the_process(
    recordings: Path,
) -> None:
    """The request waits for its callback, which the process's own thread calls."""
    with kafka_broker() as broker:
        producer, ends = _producer(broker.address), threading.Event()

        def poll() -> None:
            while not ends.is_set():
                producer.poll(0.05)

        thread = threading.Thread(target=poll)
        thread.start()

        def view() -> list[Any]:
            told: list[Any] = []
            came = threading.Event()

            def deliver(error: Any, message: Any) -> None:
                told.append(_told(error, message))
                came.set()

            producer.produce("orders", b"one", callback=deliver)
            came.wait()
            return told

        try:
            app, recording = record_wsgi(recordings, view)
        finally:
            ends.set()
            thread.join()
    assert answer_of(recording)[0][-2] == "one"
    assert_identical(recording, app)


def test_a_task_awaits_what_a_thread_of_the_process_is_told(recordings: Path) -> None:
    """As the client is used in an event loop: callbacks set futures, from the thread that polls."""
    with kafka_broker() as broker:
        producer, ends = _producer(broker.address), threading.Event()

        def poll() -> None:
            while not ends.is_set():
                producer.poll(0.05)

        thread = threading.Thread(target=poll)
        thread.start()

        async def send(number: int) -> list[Any]:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Any] = loop.create_future()

            def deliver(error: Any, message: Any) -> None:
                loop.call_soon_threadsafe(future.set_result, _told(error, message))

            producer.produce("orders", f"{number}", callback=deliver)
            return [*await future, time.time()]

        async def view() -> list[Any]:
            return await asyncio.gather(*(send(number) for number in range(5)))

        try:
            app, recording = record_asgi(recordings, view)
        finally:
            ends.set()
            thread.join()
    assert len(answer_of(recording)) == 5
    assert_identical(recording, app)


def test_a_message_is_what_it_was() -> None:
    """Down to the microsecond."""
    try:
        Message()
    except TypeError:
        pytest.skip("this version lets nobody make one")
    for number in range(1, 3000, 7):
        message = Message(topic="orders", latency=number / 1e6 + 5e-7, offset=number)
        back = unpacked(packed(message))
        assert [back.latency(), back.offset()] == [number / 1e6, number]


def test_a_message_is_told_of_where_nobody_can_make_one() -> None:
    """As in older versions: its methods say what was recorded."""
    kept = KeptMessage(topic="orders", offset=3, value=b"one", timestamp=(1, 5))
    kept.set_value(b"other")
    assert [kept.topic(), kept.offset(), kept.value(), kept.timestamp()[1]] == [
        *("orders", 3, b"other", 5)
    ]
    assert kept.error() is None and len(kept) == 5
    with pytest.raises(AttributeError):
        kept.payload()


def test_secrets_in_messages_are_masked(recordings: Path) -> None:
    """In what is sent and in what is told of it; the replay is of the same."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)

        def view() -> list[Any]:
            told: list[Any] = []
            value = json.dumps({"password": "hunter-of-nobody-7", "n": 1})
            producer.produce("orders", value, on_delivery=lambda *args: told.append(_told(*args)))
            return [producer.flush(10), len(told)]

        app, recording = record_wsgi(recordings, view)
    assert b"hunter-of-nobody-7" not in raw(recordings)
    assert_identical(recording, app)


def test_deliveries_of_others_are_nobodys(recordings: Path) -> None:
    """A request polls what was sent before it: that is told to who had sent it, once."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)
        told: list[Any] = []
        producer.produce("orders", b"before", on_delivery=lambda *args: told.append(_told(*args)))

        def view() -> list[Any]:
            while not producer.poll(1):
                pass
            return [producer.poll(0), time.time()]

        app, recording = record_wsgi(recordings, view)
    assert len(told) == 1
    assert "kafka.called" not in _kinds(recording)
    assert_identical(recording, app)
    assert len(told) == 1


def test_messages_are_received_again(recordings: Path) -> None:
    """A consumer of the request's own: assigned, polled, positions, committed, closed."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)
        for number in range(3):
            producer.produce("orders", f"order {number}", partition=0, headers=[("n", b"\x01")])
        assert producer.flush(10) == 0

        def view() -> list[Any]:
            settings = {"bootstrap.servers": broker.address, "group.id": "g", "log_level": 0}
            consumer = Consumer({**settings, "enable.auto.commit": False})
            found: list[Any] = []
            try:
                consumer.assign([TopicPartition("orders", 0, 0)])
                first = consumer.poll(20)
                assert first is not None
                more = consumer.consume(2, timeout=20)
                for message in [first, *more]:
                    found.append([*_told(message.error(), message), repr(message.headers())])
                found.append(repr(consumer.commit(message=first, asynchronous=False)))
                found.append(repr(consumer.committed(consumer.assignment(), timeout=10)))
                found.append(repr(consumer.position([TopicPartition("orders", 0)])))
                found.append(consumer.get_watermark_offsets(TopicPartition("orders", 0)))
            finally:
                consumer.close()
            return found

        app, recording = record_wsgi(recordings, view)
    body = answer_of(recording)
    assert [one[6] for one in body[:3]] == ["order 0", "order 1", "order 2"]
    assert body[-1] == [0, 3]
    assert_identical(recording, app)


def test_a_group_is_joined_again(recordings: Path) -> None:
    """What the application does when partitions are assigned runs within the poll."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)
        producer.produce("orders", "order", partition=0)
        assert producer.flush(10) == 0

        def view() -> list[Any]:
            settings = {"bootstrap.servers": broker.address, "group.id": "g", "log_level": 0}
            consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
            assigned: list[Any] = []

            def assign(client: Any, partitions: Any) -> None:
                assigned.append([client is consumer, len(partitions), client.memberid() != ""])

            consumer.subscribe(["orders"], on_assign=assign)
            message = None
            while message is None:
                message = consumer.poll(1)
            consumer.close()
            return [assigned, _told(message.error(), message)]

        app, recording = record_wsgi(recordings, view)
    assert answer_of(recording)[0] == [[True, 4, True]]
    assert_identical(recording, app)


def test_failures_are_raised_again(recordings: Path) -> None:
    """No such setting, no broker, a message that is too large: with the errors' codes."""
    with kafka_broker() as broker:
        producer = _producer(broker.address, **{"message.max.bytes": 2000})
        gone = _producer("127.0.0.1:1")

        def view() -> list[Any]:
            found: list[Any] = []
            for ask in (
                lambda: Producer({"no.such.setting": "1"}),
                lambda: gone.list_topics(timeout=0.2),
                lambda: producer.produce("orders", b"x" * 5000),
            ):
                try:
                    ask()
                except KafkaException as error:
                    about = error.args[0]
                    found.append([about.code(), about.str(), about.retriable(), str(error)])
            metadata = producer.list_topics("orders", timeout=10)
            topic = metadata.topics["orders"]
            return [*found, [metadata.cluster_id, str(topic), len(topic.partitions)]]

        app, recording = record_wsgi(recordings, view)
    assert len(answer_of(recording)) == 4
    assert_identical(recording, app)


def test_the_trace_goes_along(recordings: Path) -> None:
    """Its header is sent beside the application's own, and stands in no key."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)

        def view() -> str:
            producer.produce("orders", b"one", partition=0, headers={"own": b"yes"})
            return str(producer.flush(10))

        app, recording = record_wsgi(recordings, view)
        consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "g"})
        consumer.assign([TopicPartition("orders", 0, 0)])
        message = consumer.poll(20)
        consumer.close()
    assert message is not None
    sent = dict(message.headers() or [])
    assert sent["own"] == b"yes"
    assert recording.header.trace_id.encode() in sent["traceparent"]
    (event,) = [one for one in recording.lanes[0].events if one.kind.endswith(".produce")]
    assert "traceparent" not in str(event.key)
    assert_identical(recording, app)


def test_serializers_run_again_above_what_is_sent(recordings: Path) -> None:
    """They are the application's; and the one callback that a producer was made with is called."""
    with kafka_broker() as broker:

        def view() -> list[Any]:
            told: list[Any] = []
            serializer = StringSerializer("utf_8")
            producer = SerializingProducer(
                {
                    "bootstrap.servers": broker.address,
                    "value.serializer": serializer,
                    "on_delivery": lambda error, message: told.append(_told(error, message)),
                }
            )
            producer.produce("orders", value="größer")
            return [producer.flush(10), told]

        app, recording = record_wsgi(recordings, view)
    assert answer_of(recording)[1][0][6] == "größer"
    assert_identical(recording, app)


def test_what_a_callback_raises_is_raised_where_it_polls(recordings: Path) -> None:
    """As it was by the library."""
    with kafka_broker() as broker:
        producer = _producer(broker.address)

        def view() -> str:
            def deliver(error: Any, message: Any) -> None:
                raise LookupError(message.offset())

            producer.produce("orders", b"one", on_delivery=deliver)
            try:
                producer.flush(10)
            except LookupError as error:
                return repr(error)
            return "nothing"

        app, recording = record_wsgi(recordings, view)
    assert b"LookupError(0)" in b"".join(recording.response.body if recording.response else [])
    assert_identical(recording, app)


def test_several_messages_at_once(recordings: Path) -> None:
    """Each has a callback, and one that can't be sent says so in its own dict."""
    with kafka_broker() as broker:
        producer = _producer(broker.address, **{"message.max.bytes": 2000})

        def view() -> list[Any]:
            told: list[Any] = []
            messages: list[dict[str, Any]] = [
                {"value": value, "callback": lambda *args: told.append(_told(*args))}
                for value in (b"one", b"x" * 5000, b"two")
            ]
            sent = producer.produce_batch("orders", messages, partition=0)
            producer.flush(10)
            return [sent, told, [str(one.get("_error")) for one in messages]]

        app, recording = record_wsgi(recordings, view)
    assert answer_of(recording)[0] == 2
    assert_identical(recording, app)


def test_administration_is_told_again(recordings: Path) -> None:
    """The mock of a broker makes no topics: the failure of that comes back, and the metadata."""
    with kafka_broker() as broker:
        client = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})

        def view() -> list[Any]:
            made = client.create_topics([NewTopic("new", 1)], request_timeout=0.5)
            try:
                said = repr(made["new"].result())
            except KafkaException as error:
                said = error.args[0].name()
            brokers = client.list_topics(timeout=10).brokers
            return [said, [[one.id, one.port] for one in brokers.values()]]

        app, recording = record_wsgi(recordings, view)
    assert answer_of(recording)[0] != "None"
    assert_identical(recording, app)


APPLICATION = """
import os, threading, time
from confluent_kafka import Consumer, Producer
from fastapi import FastAPI
from retrace_mw import RetraceMiddleware

SETTINGS = {"bootstrap.servers": os.environ["KAFKA"], "log_level": 0}
producer = Producer(SETTINGS)
consumer = Consumer({**SETTINGS, "group.id": "g"})
consumer.subscribe(["others"])


def poll():
    while True:
        producer.poll(0.05)
        consumer.poll(0.05)


threading.Thread(target=poll, daemon=True).start()
app = FastAPI()


@app.get("/")
def view():
    came, told = threading.Event(), []

    def deliver(error, message):
        told.append([str(error), message.partition(), message.offset(), message.latency()])
        came.set()

    producer.produce("orders", b"one", on_delivery=deliver)
    came.wait()
    return told


app.add_middleware(RetraceMiddleware)
"""


@pytest.mark.parametrize("tape", ["0", "1"], ids=["no boot tape", "boot tape"])
def test_a_fresh_process_connects_to_nothing(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, tape: str
) -> None:
    """No thread of librdkafka is in the process of the replay, whose producer is the process's."""
    with kafka_broker() as broker:
        monkeypatch.setenv("RETRACE_BOOT_TAPE", tape)
        monkeypatch.setenv("KAFKA", broker.address)
        answered = record_in_a_process(recordings, APPLICATION)
    assert answered.startswith('200 [["None",')
    replay_connects_to_nothing(recordings)
