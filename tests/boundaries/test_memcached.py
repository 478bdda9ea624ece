"""memcached: no boundary knows its clients, and what goes over their sockets comes back."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

import aiomcache
import httpx
from django.core.cache.backends.memcached import PyMemcacheCache
from fastapi import FastAPI
from pymemcache.client.base import Client, PooledClient

from retrace_core import installer, load, writer
from retrace_mw import RetraceMiddleware
from tests.memcached_server import memcached_server
from tests.recorded import assert_identical, identical_body, record_wsgi
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from pathlib import Path


def test_a_client_comes_back(recordings: Path) -> None:
    """Values short and long, several at once, counters, what is not there."""
    with memcached_server() as address:

        def view() -> dict[str, Any]:
            with closing(Client(address, timeout=5)) as client:
                client.set("short", "1")
                client.set_many({"long": b"x" * 50_000, "other": b"y"})
                found = client.get_many(["short", "long", "none"])
                return {
                    "found": {name: len(value) for name, value in found.items()},
                    "count": client.incr("short", 5),
                    "deleted": client.delete("other", noreply=False),
                    "none": client.get("none"),
                }

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    assert recording.holes == []
    assert_identical(recording, app)


def test_a_pool_that_is_warm_comes_back_cold(recordings: Path) -> None:
    """The replay connects by a look-up that was not recorded, to nobody."""
    pools: list[Any] = []
    installer.install()
    with memcached_server() as (_, port):

        def view() -> str:
            if not pools:
                pools.append(PooledClient(("localhost", port), timeout=5))
            pools[0].set("who", "ada")
            return str(pools[0].get("who"))

        assert view() == "b'ada'"
        app, recording = record_wsgi(recordings, view)
        pools.pop().close()
    assert_identical(recording, app, times=1)
    pools.pop().close()


def test_djangos_cache_comes_back(recordings: Path) -> None:
    """Objects, several at once, and expiry."""
    configure_django()
    with memcached_server() as (host, port):

        def view() -> dict[str, Any]:
            cache: Any = PyMemcacheCache(f"{host}:{port}", {})
            cache.set("basket", {"items": [1, 2]}, 60)
            cache.set_many({"seen": 1, "name": "ada"})
            found = [cache.get("basket"), cache.get_many(["seen", "name", "none"])]
            changed = [cache.incr("seen"), cache.add("seen", 9), cache.touch("basket", 5)]
            cache.close()
            return {"found": found, "changed": changed}

        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_an_asyncio_client_that_is_warm_comes_back_cold(recordings: Path) -> None:
    """Each of three requests by itself, over the connection that the first one opened."""
    kept: dict[str, Any] = {}

    async def close() -> None:
        await kept.pop("client").close()

    with memcached_server() as (_, port):
        app = FastAPI()
        app.add_middleware(RetraceMiddleware)

        @app.get("/{name}")
        async def view(name: str) -> list[Any]:
            if not kept:
                kept["client"] = aiomcache.Client("localhost", port)
            client = kept["client"]
            await client.set(name.encode(), name.encode() * 3000)
            found = await client.multi_get(b"one", b"two", b"none")
            return [value and len(value) for value in found]

        async def main() -> None:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as asking:
                for name in ("one", "two", "three"):
                    assert (await asking.get(f"/{name}")).status_code == 200
            await close()

        asyncio.run(main())
    assert writer.flush(10)
    paths = sorted(recordings.glob("*/*/trace.bin"))
    assert len(paths) == 3
    for path in paths:
        assert_identical(load(path), app, times=1)
        asyncio.run(close())
