"""nats-py: what was published, requested and received is there again with the server gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import nats
import pytest
from nats.errors import Error
from nats.js.api import ConsumerConfig

from tests.kept_client import record_under_uvicorn, replay_each_cold
from tests.nats_server import nats_server
from tests.recorded import answer_of, assert_identical, record_asgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start one server for all of these tests; what they call by a name is their own."""
    with nats_server() as address:
        yield address


async def _upper(message: Any) -> None:
    await message.respond(message.data.upper())


def test_a_request_is_answered_by_what_another_said(recordings: Path, server: str) -> None:
    """With what was published and flushed, headers, and the inbox that the answer came to."""

    async def view() -> list[Any]:
        async with await nats.connect(server) as client:
            await client.subscribe("upper", cb=_upper)
            answer = await client.request("upper", b"ping", headers={"Who": "ann"})
            old = await client.request("upper", b"x" * 9000, old_style=True)
            await client.publish("note", b"n")
            await client.flush()
            about = [client.is_connected, client.client_id, str(client.connected_server_version)]
            said = [answer.data.decode(), answer.headers, answer.subject, len(old.data)]
            return [*said, *about, await client.rtt()]

    app, recording = record_asgi(recordings, view, tasks=2)
    assert answer_of(recording)[:2] == ["PING", {"Who": "ann"}]
    assert_identical(recording, app)


def test_errors_of_the_server_are_raised_again(recordings: Path, server: str) -> None:
    """Nobody who answers, nobody in time, nothing in a bucket, no stream, a closed client."""

    async def view() -> list[str]:
        client = await nats.connect(server)
        await client.subscribe("silent", cb=_silent)
        silent = await client.subscribe("nothing")
        jetstream = client.jetstream()
        bucket = await jetstream.create_key_value(bucket="errors")
        found = []
        for ask in (
            lambda: client.request("nobody", b"ping", timeout=1),
            lambda: client.request("silent", b"ping", timeout=0.05),
            lambda: silent.next_msg(timeout=0.05),
            lambda: bucket.get("none"),
            lambda: jetstream.publish("of.no.stream", b""),
            lambda: jetstream.stream_info("none"),
            lambda: client.publish("long", b"x" * 2_000_000),
        ):
            found.append(await _error_of(ask()))
        await client.close()
        return [*found, await _error_of(client.publish("one", b""))]

    app, recording = record_asgi(recordings, view)
    assert [one.split("(")[0] for one in answer_of(recording)] == [
        *("NoRespondersError", "TimeoutError", "TimeoutError", "KeyNotFoundError"),
        *("NoStreamResponseError", "NotFoundError", "MaxPayloadError", "ConnectionClosedError"),
    ]
    assert_identical(recording, app)


async def _silent(message: Any) -> None:
    return None


async def _error_of(asked: Any) -> str:
    try:
        return str(await asked)
    except Error as error:
        return f"{type(error).__name__}({error})"


def test_no_server_is_an_error_again(recordings: Path) -> None:
    """And its credentials stand in no event."""

    async def view() -> str:
        return await _error_of(
            nats.connect(
                "nats://ann:s3cret@127.0.0.1:1",
                allow_reconnect=False,
                connect_timeout=1,
                max_reconnect_attempts=1,
                reconnect_time_wait=0.01,
            )
        )

    app, recording = record_asgi(recordings, view)
    assert answer_of(recording).startswith("NoServersError")
    assert "s3cret" not in str([lane.events for lane in recording.lanes])
    assert_identical(recording, app)


def test_messages_of_a_subscription_are_received_again(recordings: Path, server: str) -> None:
    """One by one, by iteration until it is unsubscribed, and by a callback of the request's."""

    async def view() -> list[Any]:
        client, heard, all_heard = await nats.connect(server), list[str](), asyncio.Event()

        async def hear(message: Any) -> None:
            heard.append(message.data.decode())
            await client.publish("heard", message.data)
            if len(heard) == 4:
                all_heard.set()

        one = await client.subscribe(client.new_inbox())
        called = await client.subscribe("said.*", cb=hear)
        read = await client.subscribe("said.*", "workers")
        for n in range(4):
            await client.publish(f"said.{n}", b"%d" % n)
        await client.publish(one.subject, b"to an inbox")
        await all_heard.wait()
        first = await one.next_msg()
        await read.unsubscribe(limit=4)
        found = [message.subject async for message in read.messages]
        await called.drain()
        await client.drain()
        return [first.subject, first.data.decode(), found, heard, client.is_closed]

    app, recording = record_asgi(recordings, view, tasks=2)
    assert answer_of(recording)[1:] == [
        "to an inbox",
        [f"said.{n}" for n in range(4)],
        ["0", "1", "2", "3"],
        True,
    ]
    assert_identical(recording, app)


def test_jetstream_comes_back(recordings: Path, server: str) -> None:
    """Streams, publishing with and without waiting, pulling, pushing, acknowledging."""

    async def view() -> list[Any]:
        client = await nats.connect(server)
        jetstream = client.jetstream()
        await jetstream.add_stream(name="ORDERS", subjects=["orders.*"])
        one = await jetstream.publish("orders.one", b"1")
        other = await (await jetstream.publish_async("orders.two", b"2"))
        await jetstream.publish_async("orders.three", b"3")
        await jetstream.publish_async_completed()
        pull = await jetstream.pull_subscribe("orders.*", "puller")
        fetched = await pull.fetch(2, timeout=2)
        for message in fetched:
            await message.ack()
        last = await pull.fetch(timeout=2)
        await last[0].ack_sync()
        none = await _error_of(pull.fetch(timeout=0.05))
        push = await jetstream.subscribe("orders.one", config=ConsumerConfig(ack_wait=5))
        pushed = await push.next_msg()
        await pushed.ack()
        info = await push.consumer_info()
        await push.unsubscribe()
        await client.close()
        data = [message.data.decode() for message in (*fetched, *last, pushed)]
        when = pushed.metadata.timestamp.isoformat()
        return [one.seq, other.seq, data, none, when, info.name, info.created]

    app, recording = record_asgi(recordings, view, tasks=2)
    assert answer_of(recording)[:4] == [1, 2, ["1", "2", "3", "1"], "TimeoutError(nats: timeout)"]
    assert_identical(recording, app)


def test_a_bucket_of_keys_comes_back(recordings: Path, server: str) -> None:
    """Put, get, update, create twice, delete, all keys, history, a watcher."""

    async def view() -> list[Any]:
        client = await nats.connect(server)
        bucket = await client.jetstream().create_key_value(bucket="prices", history=5)
        first = await bucket.put("tea", b"3")
        await bucket.update("tea", b"4", last=first)
        await bucket.create("milk", b"1")
        twice = await _error_of(bucket.create("milk", b"2"))
        await bucket.delete("milk")
        found = await bucket.get("tea")
        keys, history = await bucket.keys(), await bucket.history("tea")
        watcher = await bucket.watch("tea")
        watched = [await watcher.updates(), await watcher.updates()]
        await watcher.stop()
        await client.close()
        values = [one.value.decode() for one in history]
        return [
            found.value.decode(),
            found.revision,
            keys,
            values,
            twice,
            watched[0].value.decode(),
        ]

    app, recording = record_asgi(recordings, view, tasks=2)
    assert answer_of(recording)[2:4] == [["tea"], ["3", "4"]]
    assert_identical(recording, app)


def test_requests_at_once_over_one_connection_have_each_its_own(
    recordings: Path, server: str
) -> None:
    """Their answers come by the one task of the client's that reads for all."""

    async def view() -> list[str]:
        client = await nats.connect(server)
        await client.subscribe("upper", cb=_upper)
        asked = (client.request("upper", b"n%d" % n) for n in range(20))
        said = [answer.data.decode() for answer in await asyncio.gather(*asked)]
        await client.close()
        return said

    app, recording = record_asgi(recordings, view, tasks=2)
    assert answer_of(recording) == [f"N{n}" for n in range(20)]
    assert_identical(recording, app)


SERVICE = """
import asyncio, os, random
from contextlib import asynccontextmanager

import nats
from fastapi import FastAPI

kept, seen = {}, []


async def consume(subscription):
    async for message in subscription.messages:
        seen.append(message.data)


async def answer(message):
    await message.respond(b"%f" % random.random())


@asynccontextmanager
async def lifespan(app):
    kept["nats"] = client = await nats.connect(os.environ["NATS"], user="ann", password="s3cret")
    kept["stream"] = stream = client.jetstream()
    await client.subscribe("ask", cb=answer)
    task = asyncio.create_task(consume(await client.subscribe("note")))
    await stream.add_stream(name="S", subjects=["s.*"])
    kept["bucket"] = await stream.create_key_value(bucket="b")
    yield
    task.cancel()
    await client.drain()


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def here():
    return "here"


@app.get("/kept")
async def view():
    client, stream, bucket = kept["nats"], kept["stream"], kept["bucket"]
    asked = [await client.request("ask", b"ping", timeout=5) for _ in range(2)]
    await client.publish("note", b"n")
    done = await (await stream.publish_async("s.two", b"z"))
    put = await bucket.put("k", asked[0].data)
    one = await stream.publish("s.one", b"z")
    got = await bucket.get("k")
    said = [answer.data for answer in asked]
    return [asked[0].subject, *said, got.value, put, one.seq, done.seq, client.client_id]


@app.get("/lazy")
async def lazily():
    if "lazy" not in kept:
        kept["lazy"] = await nats.connect(os.environ["NATS"])
    client = kept["lazy"]
    read = await client.subscribe("own." + client.new_inbox())
    await client.publish(read.subject, b"%f" % random.random())
    message = await read.next_msg()
    await read.unsubscribe()
    return [message.subject, message.data, client.max_payload, client.connected_url.port]
"""


def test_a_client_that_the_start_up_connects_comes_back_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several requests at once over it; its consumers are not called, and hang nobody."""
    with nats_server("--user", "ann", "--pass", "s3cret") as address:
        monkeypatch.setenv("NATS", f"nats://ann:s3cret@{address}")
        paths = ["/kept", "/lazy", "/lazy"]
        answers = record_under_uvicorn(tmp_path, monkeypatch, SERVICE, paths, at_once=2)
    assert all(answer.startswith('["_INBOX.') for answer in answers[:2]), answers
    assert b"nats.server" in raw(tmp_path / "recordings")
    assert b"s3cret" not in raw(tmp_path / "recordings")
    replay_each_cold(tmp_path, 6)
