"""redis-py and valkey for asyncio: what the sync client does, beside tasks, and when cancelled."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.databases.redis.asyncio_hooks import asyncio_client_boundary
from tests.recorded import assert_identical, body_of, record_asgi
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.redis_server import RedisServer


@pytest.fixture(params=["redis", "valkey"])
def library(request: pytest.FixtureRequest) -> Any:
    """Return the client's module; valkey has the names of redis-py, too."""
    return importlib.import_module(f"{request.param}.asyncio")


def test_replies_come_back_without_redis(library: Any, recordings: Path) -> None:
    """Commands, a pipeline, a script and a scan, with a client that lives for the request."""
    with redis_server() as server:

        async def handler() -> dict[str, Any]:
            async with library.Redis.from_url(server.url(), decode_responses=True) as client:
                await client.hset("h", mapping={"a": 1})  # type: ignore[misc]
                async with client.pipeline(transaction=False) as pipe:
                    piped = await pipe.set("t", "x").incr("t").get("t").execute(False)
                double = client.register_script("return ARGV[1] .. ARGV[1]")
                return {
                    "hash": await client.hgetall("h"),  # type: ignore[misc]
                    "piped": [str(one) for one in piped],
                    "script": [await double(args=["x"]), await double(args=["y"])],
                    "keys": sorted([key async for key in client.scan_iter()]),
                    "blocked": await client.blpop(["nothing"], timeout=0.01),  # type: ignore[misc]
                }

        app, recording = record_asgi(recordings, handler)
        server.stop()
        assert_identical(recording, app)
    assert '"script":["xx","yy"]' in body_of(recording)


def test_tasks_wake_up_in_the_order_they_did(
    library: Any, recordings: Path, redis: RedisServer
) -> None:
    """Blocking and quick commands of twelve tasks, one of which is cut short."""

    async def handler() -> list[Any]:
        async with library.Redis(port=redis.port, decode_responses=True) as client:
            order: list[Any] = []
            # redis-py may miss that it is cancelled while it connects, so: connect before.
            await asyncio.gather(*(client.ping() for _ in range(14)))  # type: ignore[arg-type]

            async def one(number: int) -> None:
                if number % 3:
                    order.append(await client.incr("n"))
                else:
                    order.append(await client.blpop([f"l{number}"], timeout=1))  # type: ignore[misc]

            async def cut_short() -> None:
                try:
                    await asyncio.wait_for(client.blpop(["never"], timeout=9), 0.2)  # type: ignore[arg-type]
                except TimeoutError:
                    order.append("cut short")

            async def push() -> None:
                for number in (9, 0, 6, 3):
                    await client.rpush(f"l{number}", number)  # type: ignore[misc]

            await asyncio.gather(*map(one, range(12)), cut_short(), push())
            return order

    app, recording = record_asgi(recordings, handler)
    assert "cut short" in body_of(recording)
    assert_identical(recording, app)


def test_a_transaction_is_tried_again_as_it_was(
    library: Any, recordings: Path, redis: RedisServer
) -> None:
    """WATCH, a foreign write, WatchError; then UNWATCH, and a pipeline that is left."""

    async def handler() -> list[Any]:
        client = library.Redis(port=redis.port, decode_responses=True)
        await client.set("a", 1)
        found: list[Any] = []
        async with client.pipeline() as pipe:
            for foreign in (True, False):
                try:
                    await pipe.watch("a")
                    found.append(await pipe.get("a"))
                    if foreign:
                        await client.set("a", 7)
                    pipe.multi()
                    pipe.incr("a")
                    found.append(await pipe.execute())
                except library.WatchError:
                    found.append("again")
            await pipe.watch("a")
            await pipe.unwatch()
            pipe.get("a")
        await client.aclose()
        return found

    app, recording = record_asgi(recordings, handler)
    assert body_of(recording) == '["1","again","7",[8]]'
    assert_identical(recording, app)


def test_messages_come_back_and_their_handlers_run(
    library: Any, recordings: Path, redis: RedisServer
) -> None:
    """Subscribe, publish, poll and listen; handlers, also asynchronous, run again."""

    async def handler() -> list[Any]:
        client = library.Redis(port=redis.port, decode_responses=True)
        handled: list[Any] = []

        async def handle(message: dict[str, Any]) -> None:
            handled.append(message["data"])

        found: list[Any] = []
        async with client.pubsub() as messages:
            await messages.subscribe("news", odd=handle)
            found += [await messages.get_message(timeout=1), await messages.get_message(timeout=1)]
            found += [await client.publish("odd", "1"), await client.publish("news", "2")]
            async for message in messages.listen():
                found.append(message)
                break
            found.append(await messages.get_message())
            await messages.unsubscribe()
        await client.aclose()
        return [found, handled]

    app, recording = record_asgi(recordings, handler)
    assert body_of(recording).endswith('"data":"2"},null],["1"]]')
    assert_identical(recording, app)


def test_locks_wait_as_long_as_they_did(library: Any, recordings: Path, redis: RedisServer) -> None:
    """A free lock, and one whose owner lets it go while another task waits for it."""

    async def handler() -> list[Any]:
        client = library.Redis(port=redis.port)
        held = client.lock("held", timeout=60)
        found: list[Any] = [await held.acquire()]

        async def wait() -> None:
            async with client.lock("held", sleep=0.005, blocking_timeout=5) as lock:
                found.append(await lock.owned())

        async def let_go() -> None:
            await asyncio.sleep(0.02)
            await held.release()

        await asyncio.gather(wait(), let_go())
        busy = client.lock("busy")
        await busy.acquire()
        again = client.lock("busy", sleep=0.005, blocking_timeout=0.02)
        found.append(await again.acquire())
        await client.aclose()
        return found

    app, recording = record_asgi(recordings, handler)
    assert body_of(recording) == "[true,true,false]"
    assert_identical(recording, app)


@pytest.mark.parametrize("what", ["refused", "timeout", "unknown"])
def test_errors_are_raised_again(
    library: Any, recordings: Path, redis: RedisServer, what: str
) -> None:
    """Their class and text are those of redis-py."""
    port = 9 if what == "refused" else redis.port

    async def handler() -> str:
        client = library.Redis(port=port, socket_timeout=0.1, retry=None)
        try:
            if what == "timeout":
                await client.blpop(["never"], timeout=5)  # type: ignore[misc]
            await client.execute_command("NOTHING")
        except library.RedisError as error:
            return repr([type(error).__qualname__, error, str(error)])
        finally:
            await client.aclose()
        return "no error"

    app, recording = record_asgi(recordings, handler)
    assert "Error" in body_of(recording)
    assert_identical(recording, app)


def test_a_client_of_one_connection_needs_none(
    library: Any, recordings: Path, redis: RedisServer
) -> None:
    """It connects when it is first used; on replay there is nothing to connect to."""

    async def handler() -> str:
        async with library.Redis(port=redis.port, single_connection_client=True) as client:
            return repr([await client.set("a", 1), await client.get("a")])

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)


def test_until_redis_py_5_clients_are_closed_by_other_names() -> None:
    """As applications have it that are held to an older one by another library."""

    class Client:
        def __init_subclass__(cls, **methods: bool) -> None:
            for name in ("execute_command", "initialize", "execute", "parse_response", *methods):
                setattr(cls, name, None)

    class Redis(Client, close=True): ...

    class Pipeline(Client, immediate_execute_command=True, reset=True): ...

    class PubSub(Client, close=True, reset=True): ...

    boundary = asyncio_client_boundary(Redis, Pipeline, PubSub, RuntimeError, "redis>=4.6")
    hooked = {(hook.owner, hook.name) for hook in boundary.hooks}
    assert (Redis, "close") in hooked
    assert (PubSub, "reset") in hooked
    assert not [name for _, name in hooked if name == "aclose"]
