"""aiormq, by aio-pika: what is asked of RabbitMQ, and what comes, with the server gone."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import aio_pika
import aiormq
import pytest

from tests.kept_client import record_under_uvicorn, replay_each_cold
from tests.recorded import identical_body, record_asgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.rabbitmq_server import RabbitmqServer


def _answered(recordings: Path, handler: Callable[[], Any]) -> Any:
    app, recording = record_asgi(recordings, handler)
    return json.loads(identical_body(recording, app))


def test_messages_are_got_again(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """Published and confirmed, got with its properties, acknowledged, put back, and none left."""

    async def handler() -> list[Any]:
        async with await aio_pika.connect(rabbitmq.url) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange("aio", aio_pika.ExchangeType.TOPIC)
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind(exchange, "one.*")
            message = aio_pika.Message(
                "grüß".encode(), headers={"n": 1, "nested": [{"a": "x"}]}, correlation_id="c"
            )
            confirmed = await exchange.publish(message, routing_key="one.two")
            await exchange.publish(aio_pika.Message(b"x" * 300_000), routing_key="one.two")
            first, second = await queue.get(), await queue.get()
            await first.ack()
            await second.nack()
            found = [confirmed.name, first.body.decode(), str(first.headers), first.message_id]
            left = await queue.purge()
            await exchange.delete()
            return [*found, first.correlation_id, left.message_count, await queue.get(fail=False)]

    assert _answered(recordings, handler)[4:] == ["c", 1, None]


def test_failures_are_raised_again(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """A queue that is not there, a message that no queue takes, no server, a wrong password."""

    async def handler() -> list[str]:
        found = []
        connection = await aiormq.connect(rabbitmq.url)
        for ask in (
            lambda channel: channel.queue_declare("nowhere", passive=True),
            lambda channel: channel.basic_get("nowhere"),
            lambda channel: channel.basic_publish(b"one", routing_key="nowhere", mandatory=True),
        ):
            channel = await connection.channel()
            try:
                await ask(channel)
            except aiormq.exceptions.AMQPError as error:
                found.append(f"{error!r} {channel.is_closed}")
        await connection.close()
        found.append(str(connection.is_closed))
        for url in ("amqp://127.0.0.1:1/", rabbitmq.url.replace("guest@", "wrong@")):
            try:
                await aio_pika.connect_robust(url)
            except aiormq.exceptions.AMQPError as error:
                found.append(repr(error))
        return found

    found = _answered(recordings, handler)
    assert [one.split(":")[0] for one in found] == [
        "<ChannelNotFoundEntity",
        "<ChannelNotFoundEntity",
        "<PublishError",
        "True",
        "<AMQPConnectionError",
        "<ProbableAuthenticationError",
    ]
    assert [one.split(" ")[-1] for one in found[:3]] == ["True", "True", "False"]


def test_consumers_of_a_request_get_their_messages_again(
    recordings: Path, rabbitmq: RabbitmqServer
) -> None:
    """By a callback, and by an iterator until nothing comes any more."""

    async def handler() -> list[Any]:
        found, done = list[Any](), asyncio.Event()
        async with await aio_pika.connect_robust(rabbitmq.url) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=1)
            queue = await channel.declare_queue(exclusive=True)

            async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                async with message.process():
                    found.append([message.body.decode(), str(uuid.uuid4())])
                if len(found) == 2:
                    done.set()

            tag = await queue.consume(take)
            for n in range(2):
                message = aio_pika.Message(b"%d" % n)
                await channel.default_exchange.publish(message, routing_key=queue.name)
            await done.wait()
            await queue.cancel(tag)
            last = aio_pika.Message(b"last")
            await channel.default_exchange.publish(last, routing_key=queue.name)
            try:
                async with queue.iterator(timeout=0.2) as messages:
                    async for message in messages:
                        await message.reject()
                        found.append(message.body.decode())
            except TimeoutError:
                found.append("nothing more")
        return found

    found = _answered(recordings, handler)
    assert [one[0] for one in found[:2]] == ["0", "1"] and found[2:] == ["last", "nothing more"]


def test_the_trace_goes_along(recordings: Path, rabbitmq: RabbitmqServer) -> None:
    """Its header is sent beside the application's own, and stands in no key."""

    async def handler() -> dict[str, str]:
        async with await aio_pika.connect(rabbitmq.url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            message = aio_pika.Message(b"one", headers={"own": "yes"})
            await channel.default_exchange.publish(message, routing_key=queue.name)
            return {name: str(value) for name, value in (await queue.get()).headers.items()}

    app, recording = record_asgi(recordings, handler)
    sent = json.loads(identical_body(recording, app))
    assert sent["own"] == "yes" and recording.header.trace_id in sent["traceparent"]
    (event,) = [one for one in recording.lanes[0].events if one.kind == "aiormq.basic.publish"]
    assert event.key[1]["headers"] == {"own": "yes"}


KEPT = """
import os, asyncio
from contextlib import asynccontextmanager
import aio_pika
from aio_pika.patterns import RPC
from fastapi import FastAPI

KEPT = {}


async def twice(*, n):
    return 2 * n


async def connect():
    connection = await aio_pika.connect_robust(os.environ["AMQP"])
    channel = await connection.channel()
    KEPT["queue"] = await channel.declare_queue("kept by aio-pika", exclusive=True)
    KEPT["exchange"] = channel.default_exchange
    server = await RPC.create(await connection.channel())
    await server.register("twice", twice, auto_delete=True)
    KEPT["rpc"] = await RPC.create(await connection.channel())
    return connection


@asynccontextmanager
async def lifespan(app):
    connection = await connect()
    yield
    await connection.close()


app = FastAPI(lifespan=None if "LAZILY" in os.environ else lifespan)


@app.get("/")
def index():
    return "ready"


@app.get("/twice")
async def view(n: int = 21):
    if not KEPT:
        await connect()

    async def publish(n):
        confirmed = await KEPT["exchange"].publish(
            aio_pika.Message(b"%d" % n), routing_key="kept by aio-pika"
        )
        return confirmed.delivery_tag > 0

    sent = await asyncio.gather(*map(publish, range(3)))
    async with (await KEPT["queue"].get()).process() as message:
        return [await KEPT["rpc"].proxy.twice(n=n), message.body.decode(), sent]
"""


@pytest.mark.parametrize("lazily", [False, True], ids=["by the start-up", "by a request"])
def test_a_kept_connection(
    tmp_path: Path, rabbitmq: RabbitmqServer, monkeypatch: pytest.MonkeyPatch, lazily: bool
) -> None:
    """Messages of several tasks over one channel, and calls over a reply queue.

    Who serves them is of the start-up, and not called on replay.
    """
    monkeypatch.setenv("AMQP", rabbitmq.url)
    if lazily:
        monkeypatch.setenv("LAZILY", "1")
    (answer,) = record_under_uvicorn(tmp_path, monkeypatch, KEPT, ["/twice"])
    assert json.loads(answer) == [42, "0", [True, True, True]]
    monkeypatch.setenv("AMQP", "amqp://127.0.0.1:1/")  # where nobody listens
    replay_each_cold(tmp_path, 1)


def test_a_kept_connection_for_several_requests_at_once(
    tmp_path: Path, rabbitmq: RabbitmqServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets the answer to its own call."""
    monkeypatch.setenv("AMQP", rabbitmq.url)
    answers = record_under_uvicorn(tmp_path, monkeypatch, KEPT, ["/twice?n=1"], at_once=3)
    assert len(answers) == 3
    monkeypatch.setenv("AMQP", "amqp://127.0.0.1:1/")
    replay_each_cold(tmp_path, 3)
