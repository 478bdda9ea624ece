"""valkey-glide: what a real Redis answers its core in Rust comes back, with the server gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from glide import (
    Batch,
    GlideClient,
    GlideClientConfiguration,
    NodeAddress,
    RequestError,
    Script,
    ServerCredentials,
)

from retrace_core import installer
from tests.recorded import assert_identical, identical_body, record_asgi
from tests.redaction.raw import raw
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.redis_server import RedisServer


async def connected(server: RedisServer, password: str = "") -> GlideClient:
    """Return a client of a server."""
    credentials = ServerCredentials(password) if password else None
    address = NodeAddress(server.host, server.port)
    return await GlideClient.create(GlideClientConfiguration([address], credentials=credentials))


def test_answers_come_back(recordings: Path) -> None:
    """Commands, several at once, a batch with an error in it, a script, an error."""
    with redis_server() as server:

        async def handler() -> list[Any]:
            client = await connected(server)
            await client.set("one", "1")
            counted = await asyncio.gather(*(client.incr("n") for _ in range(4)))
            batch = Batch(is_atomic=False).set("t", "x").incr("t").get("t")
            piped = await client.exec(batch, raise_on_error=False)
            script = Script("return ARGV[1] .. ARGV[1]")  # type: ignore[no-untyped-call]
            said = await client.invoke_script(script, args=["x"])
            try:
                await client.incr("t")
            except RequestError as error:
                failed = str(error)
            await client.hset("h", {"a": "1"})
            answers = [await client.get("one"), await client.hgetall("h"), said, counted]
            await client.close()
            return [repr(answers), [repr(one) for one in piped or ()], failed]

        app, recording = record_asgi(recordings, handler)
        server.stop()
        assert_identical(recording, app)
    assert b"not an integer" in identical_body(recording, app)


def test_a_client_of_an_earlier_request(recordings: Path) -> None:
    """It is kept; on replay the request makes one, which is connected to nothing."""
    kept: list[GlideClient] = []
    installer.install()
    with redis_server() as server:

        async def handler() -> str:
            if not kept:
                kept.append(await connected(server))
            return repr(await kept[0].incr("n"))

        app, recording = record_asgi(recordings, handler)
        asyncio.run(kept.pop().close())
        server.stop()
        assert_identical(recording, app, times=1)
    asyncio.run(kept.pop().close())


def test_a_password_is_in_no_recording(recordings: Path) -> None:
    with redis_server() as server:

        async def handler() -> str:
            admin = await connected(server)
            await admin.custom_command(["CONFIG", "SET", "requirepass", "correct-horse-7"])
            client = await connected(server, "correct-horse-7")
            said = repr(await client.ping())
            await asyncio.gather(admin.close(), client.close())
            return said

        app, recording = record_asgi(recordings, handler)
    assert b"correct-horse-7" not in raw(recordings)
    assert_identical(recording, app)
