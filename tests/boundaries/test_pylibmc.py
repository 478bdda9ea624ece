"""pylibmc: what memcached says to its client in C comes back, with the server gone."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache.backends.memcached import PyLibMCCache

from retrace_core import installer
from tests.memcached_server import memcached_server
from tests.recorded import answered, identical_body, record_asgi, record_wsgi
from tests.test_frameworks import configure_django

pylibmc: Any = pytest.importorskip("pylibmc", reason="it has wheels until Python 3.11")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclasses.dataclass
class Basket:
    """Something that an application caches."""

    owner: str
    items: dict[str, int]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the address of a server that goes on: others are stopped before the replay."""
    with memcached_server() as (host, port):
        yield f"{host}:{port}"


def _client(server: str) -> Any:
    return pylibmc.Client([server], binary=True, behaviors={"cas": True})


def test_a_kept_client_replays_with_the_server_gone(recordings: Path) -> None:
    """As one that a start-up makes."""
    installer.install()
    with memcached_server() as (host, port):
        kept = _client(f"{host}:{port}")

        def view() -> Any:
            kept["user"] = {"name": "ada", "seen": 1.5}
            return kept["user"]

        app, recording = record_wsgi(recordings, view)
    events = recording.lanes[0].events
    assert [event.kind for event in events] == ["pylibmc.set", "pylibmc.get"]
    assert json.loads(identical_body(recording, app)) == {"name": "ada", "seen": 1.5}


def test_values_of_each_type_come_back(recordings: Path, server: str) -> None:
    """As they were put, those of a class of the application's, too."""

    def view() -> list[str]:
        client = _client(server)
        basket = Basket("ada", {"pen": 2})
        values = [b"\xff", "grüße", 7, 2**70, True, 1.5, None, (1, [2]), {"a": {3}}, basket]
        for place, value in enumerate(values):
            client.set(f"value-{place}", value)
        found = [client.get(f"value-{place}") for place in range(len(values))]
        assert found == values
        return [repr(one) for one in found]

    assert answered(recordings, view)[-1] == "Basket(owner='ada', items={'pen': 2})"


def test_changes_and_misses_come_back(recordings: Path, server: str) -> None:
    """Counting, replacing, comparing, expiry, several at once, what is not there."""

    def view() -> list[Any]:
        client = _client(server)
        client.flush_all()
        found: list[Any] = [client.add("n", 1), client.add("n", 2), client.incr("n", 5)]
        found += [client.decr("n", 2), client.touch("n", 60), client.replace("n", 4)]
        value, unique = client.gets("n")
        found += [value, client.cas("n", 9, unique)]
        found += [client.set_multi({"a": 1, "b": [2]}, key_prefix="p-")]
        found += [client.get_multi(key for key in ("p-a", "p-b", "p-c"))]
        found += [client.delete("p-a"), client.delete("p-a"), client.delete_multi(["p-b", "x"])]
        found += [client.get("none"), client.get("none", "default"), "n" in client]
        for ask in (
            lambda: client["none"],
            lambda: client.replace("none", 1),
            lambda: client.get(" "),
        ):
            try:
                ask()
            except (KeyError, pylibmc.Error, ValueError) as error:
                found.append([type(error).__name__, str(error)])
        return [*found, len(client.get_stats())]

    found = answered(recordings, view)
    assert found[:7] == [True, False, 6, 4, True, True, 4]
    assert found[9] == {"p-a": 1, "p-b": [2]}
    assert found[13:16] == [None, "default", True]
    assert found[17][0] == "NotFound"


def test_a_server_that_is_not_there_is_not_there_again(recordings: Path) -> None:
    """The error has its class and text."""
    with memcached_server() as (host, port):
        pass

    def view() -> list[str]:
        try:
            pylibmc.Client([f"{host}:{port}"]).get("one")
        except pylibmc.Error as error:
            return [type(error).__name__, str(error)]
        return []

    assert answered(recordings, view)


@pytest.mark.parametrize("kind", ["slots", "threads"])
def test_pools_come_back(recordings: Path, server: str, kind: str) -> None:
    """Filled before the first request, or by it."""
    installer.install()
    client = _client(server)
    pool: Any = (
        pylibmc.ThreadMappedPool(client) if kind == "threads" else pylibmc.ClientPool(client, 2)
    )

    def view() -> list[Any]:
        with pool.reserve() as one:
            one.set("pooled", kind)
            return [one.get("pooled")]

    app, recording = record_wsgi(recordings, view)
    assert json.loads(identical_body(recording, app)) == [kind]


def test_in_an_asyncio_application(recordings: Path, server: str) -> None:
    """Blocking, as it is."""

    async def view() -> Any:
        client = _client(server)
        client.set("who", "ada")
        return client.get("who")

    app, recording = record_asgi(recordings, view)
    assert identical_body(recording, app) == b'"ada"'


def test_djangos_cache_comes_back(recordings: Path) -> None:
    """Objects, several at once, versions, and expiry."""
    configure_django()
    with memcached_server() as (host, port):

        def view() -> dict[str, Any]:
            cache: Any = PyLibMCCache(f"{host}:{port}", {})
            cache.set("basket", {"items": [1, 2]}, 60)
            cache.set_many({"seen": 1, "name": "ada"})
            found = [cache.get("basket"), cache.get_many(["seen", "name", "none"])]
            changed = [cache.incr("seen"), cache.add("seen", 9), cache.touch("basket", 5)]
            try:
                cache.incr("none")
            except ValueError as error:
                changed.append(str(error))
            return {"found": found, "changed": changed, "has": cache.has_key("none")}

        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)
