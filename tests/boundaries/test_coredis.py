"""coredis: commands, pipelines and errors come back with Redis gone, kept client or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import answer_of, assert_identical, record_asgi
from tests.redis_server import redis_server

coredis = pytest.importorskip("coredis")

if TYPE_CHECKING:
    from pathlib import Path


async def disconnect(client: Any) -> None:
    """Close a client's connections, which takes the loop a step."""
    client.connection_pool.disconnect()
    await asyncio.sleep(0)


def test_replies_come_back_without_redis(recordings: Path) -> None:
    """Commands, a script, a stream's entries, and a reply that is an error."""
    with redis_server() as server:

        async def handler() -> dict[str, Any]:
            client = await coredis.Redis.from_url(server.url(), decode_responses=True)
            await client.hset("h", {"a": 1})
            await client.xadd("s", {"fruit": "apple"}, identifier="1-1")
            double = client.register_script("return ARGV[1] .. ARGV[1]")
            said = ""
            try:
                await client.incr("h")
            except coredis.exceptions.ResponseError as error:
                said = type(error).__name__
            (entry,) = await client.xrange("s")
            answer = {
                "hash": await client.hgetall("h"),
                "script": await double.execute(args=["x"]),
                "entry": [entry.identifier, dict(entry.field_values)],
                "said": said,
            }
            await disconnect(client)
            return answer

        app, recording = record_asgi(recordings, handler)
        server.stop()
        assert_identical(recording, app)
    answer = answer_of(recording)
    assert answer["script"] == "xx"
    assert answer["entry"] == ["1-1", {"fruit": "apple"}]
    assert answer["said"] == "WrongTypeError"


def test_a_pipeline_is_one_event(recordings: Path) -> None:
    """Its requests tell their replies afterwards, too; what is watched is asked at once."""
    with redis_server() as server:

        async def handler() -> list[Any]:
            client = coredis.Redis.from_url(server.url(), decode_responses=True)
            async with await client.pipeline(transaction=False) as pipe:
                pipe.set("t", "1")
                count = pipe.incr("t")
                replies = await pipe.execute()
                counted = await count
            async with await client.pipeline() as pipe:
                await pipe.watch("t")
                before = await pipe.get("t")
                pipe.multi()
                pipe.set("t", f"{before}0")
                done = await pipe.execute()
            await disconnect(client)
            return [list(replies), counted, before, list(done)]

        app, recording = record_asgi(recordings, handler)
        server.stop()
        assert_identical(recording, app)
    assert answer_of(recording) == [[True, 2], 2, "2", [True]]


def test_a_client_that_is_kept_need_not_have_connected(recordings: Path) -> None:
    """An earlier request had: the connection's login and handshake are nobody's."""
    with redis_server() as server:
        kept: list[Any] = []

        async def handler() -> str:
            if not kept:
                kept.append(coredis.Redis.from_url(server.url(), decode_responses=True))
            replies = await asyncio.gather(*(kept[0].incr("n") for _ in range(5)))
            await disconnect(kept[0])
            return " ".join(map(str, sorted(replies)))

        app, recording = record_asgi(recordings, handler)
        server.stop()
        kept.clear()
        assert_identical(recording, app, 2)
    assert answer_of(recording) == "1 2 3 4 5"
