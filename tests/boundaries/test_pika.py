"""pika: what a blocking connection asks of RabbitMQ, and what it gets, with the server gone."""

from __future__ import annotations

import queue
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pika
import pytest
from pika.exceptions import AMQPError

from tests.fresh import record_in_a_process, replay_by_command
from tests.recorded import answered, assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.rabbitmq_server import RabbitmqServer


def _connect(rabbitmq: RabbitmqServer) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(rabbitmq.url))


def test_messages_are_got_again(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """Published, got, acknowledged, put back; with all properties, and none left."""

    def view() -> list[Any]:
        with _connect(rabbitmq) as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            properties = pika.BasicProperties(
                content_type="text/plain",
                headers={"n": 1, "nested": [1, {"a": b"\xff"}]},
                delivery_mode=pika.DeliveryMode.Persistent,
                correlation_id="c",
                timestamp=1_700_000_000,
            )
            channel.basic_publish("", queue, "grüß".encode(), properties)
            channel.basic_publish("", queue, b"x" * 300_000)
            channel.basic_publish("", queue, b"")
            found = [channel.basic_get(queue) for _ in range(4)]
            for method, _, _ in found[:2]:
                channel.basic_nack(method.delivery_tag)
            channel.basic_ack(found[2][0].delivery_tag)
            left = channel.queue_purge(queue).method.message_count
            return [repr(found), left, channel.is_open]

    assert answered(recordings, view)[1:] == [2, True]


def test_confirmations_come_again(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """A message that is confirmed, one that no queue takes, and one that a full queue refuses."""

    def view() -> list[str]:
        with _connect(rabbitmq) as connection, connection.channel() as channel:
            channel.confirm_delivery()
            full = {"x-max-length": 0, "x-overflow": "reject-publish"}
            channel.exchange_declare("logs", pika.exchange_type.ExchangeType.topic, durable=True)
            channel.queue_declare("", exclusive=True)
            refusing = channel.queue_declare("", exclusive=True, arguments=full).method.queue
            channel.queue_bind(refusing, "logs", "refused.#")
            found = []
            for key in ("refused.one", "lost"):
                try:
                    channel.basic_publish("logs", key, b"one", mandatory=True)
                except AMQPError as error:
                    found.append(repr(error))
            channel.queue_unbind(refusing, "logs", "refused.#")
            channel.exchange_delete("logs")
            channel.basic_publish("", refusing.replace(refusing, "amq.none"), b"two")
            return found

    found = answered(recordings, view)
    assert found[0].startswith("NackError") and found[1].startswith("UnroutableError"), found


def test_failures_are_raised_again(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """A queue that is not there, one of other settings, no server, a wrong password."""

    def view() -> list[Any]:
        found: list[Any] = []
        with _connect(rabbitmq) as connection:
            own = connection.channel()
            queue = own.queue_declare("", exclusive=True).method.queue
            for ask in (
                lambda channel: channel.queue_declare("nowhere", passive=True),
                lambda channel: channel.basic_get("nowhere"),
                lambda channel: channel.queue_declare(queue, durable=True, exclusive=True),
                lambda channel: channel.basic_ack(17) or channel.queue_purge(queue),
            ):
                channel = connection.channel()
                try:
                    ask(channel)
                except AMQPError as error:
                    found.append([repr(error), channel.is_open, own.is_open])
            found.append(connection.is_open)
        for url in ("amqp://127.0.0.1:1/", rabbitmq.url.replace("guest@", "wrong@")):
            try:
                pika.BlockingConnection(pika.URLParameters(url))
            except AMQPError as error:
                found.append(repr(error))
        return found

    found = answered(recordings, view)
    assert [one[0].split(":")[0] for one in found[:4]] == ["ChannelClosedByBroker"] * 4
    assert found[4] and found[5].startswith("AMQPConnectionError: (AMQPConnectorSocketConnectError")
    assert found[6].startswith("ProbableAuthenticationError")


def test_consumers_of_a_request_get_their_messages_again(
    recordings: Path, rabbitmq: RabbitmqServer
) -> None:
    """By a callback until it stops, and by the generator until nothing comes any more."""

    def view() -> list[Any]:
        found: list[Any] = []
        with _connect(rabbitmq) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=1)
            queue = channel.queue_declare("", exclusive=True).method.queue
            for n in range(5):
                channel.basic_publish("", queue, b"%d" % n)

            def take(channel: Any, method: Any, properties: Any, body: bytes) -> None:
                found.append([method.delivery_tag, body.decode(), str(uuid.uuid4())])
                channel.basic_ack(method.delivery_tag)
                if len(found) == 2:
                    channel.stop_consuming()

            channel.basic_consume(queue, take)
            channel.start_consuming()
            for method, _, body in channel.consume(queue, inactivity_timeout=0.2):
                if method is None:
                    break
                found.append(body.decode())
                channel.basic_reject(method.delivery_tag, requeue=False)
            channel.cancel()
            connection.process_data_events(time_limit=0)
            found.append(channel.queue_delete(queue).method.message_count)
        return found

    found = answered(recordings, view)
    assert [one[1] for one in found[:2]] == ["0", "1"] and found[2:] == ["2", "3", "4", 0]


def test_the_trace_goes_along(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """Its header is sent beside the application's own, and stands in no key; nor do passwords."""
    properties = pika.BasicProperties(headers={"own": "yes"})

    def view() -> str:
        with _connect(rabbitmq) as connection:
            channel = connection.channel()
            channel.queue_declare("traced")
            channel.basic_publish("", "traced", b"one", properties)
        return "sent"

    app, recording = record_wsgi(recordings, view)
    with _connect(rabbitmq) as connection:
        channel = connection.channel()
        sent = channel.basic_get("traced", auto_ack=True)[1].headers
        channel.queue_delete("traced")
    assert sent["own"] == "yes" and recording.header.trace_id in sent["traceparent"]
    assert properties.headers == {"own": "yes"}
    asked = [(one.kind, one.key) for one in recording.lanes[0].events if "pika" in one.kind]
    assert [kind for kind, _ in asked] == ["free.pika.queue.declare", "pika.basic.publish"]
    assert asked[1][1] == [
        [
            "basic.publish",
            {"ticket": 0, "exchange": "", "routing_key": "traced", "mandatory": False}
            | {"immediate": False},
            {"headers": {"own": "yes"}},
            b"one",
        ]
    ]
    assert_identical(recording, app)


KEPT = """
import os, threading, uuid
import pika
from fastapi import FastAPI
from retrace_mw import RetraceMiddleware

URL = pika.URLParameters(os.environ["AMQP"])


class Caller:
    def __init__(self):
        self.connection = pika.BlockingConnection(URL)
        self.channel = self.connection.channel()
        self.replies = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.basic_consume(self.replies, self.replied, auto_ack=True)

    def replied(self, channel, method, properties, body):
        if properties.correlation_id == self.wanted:
            self.reply = body

    def call(self, body):
        self.reply, self.wanted = None, str(uuid.uuid4())
        properties = pika.BasicProperties(reply_to=self.replies, correlation_id=self.wanted)
        self.channel.basic_publish("", "double", body, properties)
        while self.reply is None:
            self.connection.process_data_events(time_limit=1)
        return self.reply.decode()


def serve(channel, method, properties, body):
    channel.basic_publish(
        "", properties.reply_to, body * 2, pika.BasicProperties(
            correlation_id=properties.correlation_id)
    )
    channel.basic_ack(method.delivery_tag)


def consume():
    channel = pika.BlockingConnection(URL).channel()
    channel.queue_declare("double")
    channel.basic_consume("double", serve)
    ready.set()
    channel.start_consuming()


ready = threading.Event()
threading.Thread(target=consume, daemon=True).start()
ready.wait()
WHEN_KEPT
app = FastAPI()


@app.get("/")
def view():
    global caller, publisher
    if caller is None:
        caller = Caller()
        publisher = pika.BlockingConnection(URL).channel()
        publisher.queue_declare("kept")
    publisher.basic_publish("", "kept", b"one")
    got = publisher.basic_get("kept", auto_ack=True)
    return [caller.call(b"four "), got[2].decode(), got[0].delivery_tag]


app.add_middleware(RetraceMiddleware)
"""
AT_START = """
caller = Caller()
publisher = pika.BlockingConnection(URL).channel()
publisher.queue_declare("kept")
publisher.basic_publish("", "kept", b"zero")
publisher.basic_get("kept", auto_ack=True)
"""


@pytest.mark.parametrize(("tape", "kept"), [("1", True), ("1", False), ("0", False)])
def test_a_fresh_process_connects_to_nothing(
    recordings: Path,
    rabbitmq: RabbitmqServer,
    monkeypatch: pytest.MonkeyPatch,
    tape: str,
    kept: bool,
) -> None:
    """Calls over a reply queue, publishing, getting; made by the start-up, or the first request.

    The thread of a consumer, which the start-up begins, is not the request's.
    """
    monkeypatch.setenv("RETRACE_BOOT_TAPE", tape)
    monkeypatch.setenv("AMQP", rabbitmq.url)
    source = KEPT.replace("WHEN_KEPT", AT_START if kept else "caller = publisher = None")
    answered = record_in_a_process(recordings, source)
    assert answered.startswith('200 ["four four ","one",'), answered
    monkeypatch.setenv("AMQP", "amqp://127.0.0.1:1/")  # where nobody listens
    replay_by_command(recordings)


class Consuming:
    """A client by callbacks, whose loop runs in a thread of its own."""

    def __init__(self, rabbitmq: RabbitmqServer) -> None:
        self.heard: queue.Queue[str] = queue.Queue()
        self.parameters = pika.URLParameters(rabbitmq.url)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        self.name = self.heard.get(timeout=20)

    def run(self) -> None:
        """Connect, and take messages until the connection is closed."""
        self.connection = pika.SelectConnection(
            self.parameters,
            on_open_callback=lambda _: self.connection.channel(on_open_callback=self.opened),
            on_close_callback=lambda *_: self.connection.ioloop.stop(),
        )
        self.connection.ioloop.start()

    def opened(self, channel: Any) -> None:
        """Declare a queue, and consume it."""
        self.channel = channel

        def declared(method: Any) -> None:
            name = method.method.queue
            channel.basic_consume(
                name,
                lambda *message: self.heard.put(message[3].decode()),
                auto_ack=True,
                callback=lambda _: self.heard.put(name),
            )

        channel.queue_declare("", exclusive=True, callback=declared)

    def ask(self, what: Callable[[], Any]) -> None:
        """Have something done in its thread."""
        self.connection.ioloop.add_callback_threadsafe(what)


def test_a_connection_by_callbacks(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """What no boundary stands above in pika is recorded as any other library's sockets are."""

    def view() -> list[str]:
        client = Consuming(rabbitmq)
        client.ask(lambda: client.channel.basic_publish("", client.name, b"hello"))
        said = client.heard.get(timeout=20)
        client.ask(client.connection.close)
        client.thread.join()
        return [client.name, said]

    assert answered(recordings, view)[1] == "hello"
