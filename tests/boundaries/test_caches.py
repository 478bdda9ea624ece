"""Caches: Django's and Flask-Caching's, in memory and on Redis, answer as they did.

What is in a cache was put there by an earlier request, of which there is no recording.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import cachelib
import cachetools
import flask
import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from flask_caching import Cache

from retrace_core import installer
from retrace_core.boot import tape as boot_tape
from retrace_core.recording import SoftEvent
from tests.recorded import assert_identical, body_of, only_recording, record_wsgi
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from pathlib import Path

    from tests.redis_server import RedisServer

configure_django()


class Basket:
    """A class of the application's, which can't be recorded."""

    def __init__(self, size: int) -> None:
        self.size = size


def django_cache(kind: str, redis: RedisServer) -> Any:
    """Return one of Django's caches, empty."""
    made = LocMemCache("test", {}) if kind == "memory" else RedisCache(redis.url(), {})
    made.clear()
    return made


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_djangos_cache_answers_as_it_did(recordings: Path, redis: RedisServer, kind: str) -> None:
    """Hits, misses with a default, many keys, counters, what is put there meanwhile."""
    cache = django_cache(kind, redis)
    missing = object()

    def view() -> str:
        return repr(
            [
                cache.get("warm"),
                cache.get("cold", missing) is missing,
                cache.get_many(["warm", "hits", "cold"]),
                cache.incr("hits"),
                cache.decr("hits"),
                cache.add("warm", 1),
                cache.add("new", 1),
                "warm" in cache,
                cache.touch("cold"),
                cache.delete("warm"),
                cache.get_or_set("made", lambda: [1]),
                cache.get("made"),
                cache.get("none", 5),
            ]
        )

    cache.set_many({"warm": {"d": date(2020, 1, 2), "t": (1,)}, "hits": 7})
    cache.set("none", None)
    app, recording = record_wsgi(recordings, view)
    assert "'d': datetime.date(2020, 1, 2)" in body_of(recording)
    assert body_of(recording).endswith("[1], [1], None]")
    cache.clear()
    assert_identical(recording, app, times=1)
    cache.clear()
    assert_identical(recording, app, times=1)


def test_a_counter_that_was_missing_is_missing_again(recordings: Path, redis: RedisServer) -> None:
    """`incr` raises ValueError, also where a warmer cache would count."""
    cache = django_cache("memory", redis)

    def view() -> str:
        try:
            return str(cache.incr("n"))
        except ValueError as error:
            return str(error)

    app, recording = record_wsgi(recordings, view)
    cache.set("n", 1)
    assert_identical(recording, app)


def test_an_object_that_the_request_put_there_is_found(
    recordings: Path, redis: RedisServer
) -> None:
    """It can't be recorded, but it is made again."""
    cache = django_cache("memory", redis)

    def view() -> str:
        cache.set("basket", Basket(3))
        return str(cache.get("basket").size)

    app, recording = record_wsgi(recordings, view)
    cache.clear()
    assert_identical(recording, app)


@pytest.mark.parametrize(
    "cache", [LocMemCache("ends", {}), cachelib.SimpleCache()], ids=["Django", "cachelib"]
)
def test_when_an_entry_ends_is_reckoned_by_the_clock_that_is_asked_when_it_is_looked_up(
    recordings: Path, cache: Any
) -> None:
    """The live one: a replay days later has what the replay before it put there for a minute."""

    def view() -> str:
        cache.set("basket", Basket(3), timeout=60)
        return str(cache.get("basket").size)

    app, recording = record_wsgi(recordings, view)
    events = [event for lane in recording.lanes for event in lane.events]
    assert not any(isinstance(event, SoftEvent) for event in events)
    cache.clear()
    assert_identical(recording, app)


@pytest.mark.parametrize("kind", ["SimpleCache", "RedisCache"])
def test_flask_caching_answers_as_it_did(recordings: Path, redis: RedisServer, kind: str) -> None:
    """A memoized function that an earlier request has called is not called; another one is."""
    cache = Cache(config={"CACHE_TYPE": kind, "CACHE_REDIS_URL": redis.url()})
    asked: list[str] = []

    @cache.memoize()
    def plan(tenant: str) -> dict[str, Any]:
        asked.append(tenant)
        return {"tenant": tenant, "since": date(2020, 1, 2)}

    def view() -> str:
        asked.clear()
        found = [plan("acme"), plan("bcme"), cache.get("n"), cache.add("n", 2), cache.has("n")]
        return repr([found, asked])

    other = flask.Flask("other")
    cache.init_app(other)
    with other.app_context():
        plan("acme")
        cache.set("n", {1, 2})
    app = flask.Flask("shop")
    cache.init_app(app)
    app.extensions["cache"] = other.extensions["cache"]
    app.add_url_rule("/", view_func=view, methods=["POST"])
    from retrace_mw import RetraceMiddleware

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/")
    recording = only_recording(recordings)
    assert body_of(recording).endswith("{1, 2}, False, True], ['bcme']]")
    with other.app_context():
        cache.clear()
    assert_identical(recording, app)


def test_cachelib_counts_as_it_did(recordings: Path) -> None:
    """`inc` reads and writes; both are answered as they were."""
    cache = cachelib.SimpleCache()
    cache.set("n", 5)

    def view() -> str:
        return repr([cache.inc("n"), cache.dec("n", 3), cache.get_many("n", "none")])

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "[6, 3, [3, None]]"
    cache.clear()
    assert_identical(recording, app)


def test_a_cachetools_cache_is_filled_on_the_boot_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the function asks at a miss is a chapter of its own; a hit costs nothing more."""
    installer.install(["cachetools", "time"])
    monkeypatch.setattr(boot_tape, "_tape", boot_tape.BootTape(1 << 20))

    class Shop:
        cache = cachetools.TTLCache(8, 60)

        @cachetools.cachedmethod(lambda self: self.cache)
        def drawn(self, name: str) -> str:
            import random

            return f"{name} {random.random()}"

    import random

    @cachetools.cached({})
    def rate(currency: str) -> float:
        return random.random()

    assert rate("EUR") == rate("EUR")
    shop = Shop()
    assert shop.drawn("a") == shop.drawn("a")
    tape = boot_tape.tape()
    assert tape is not None
    _, chapters = tape.take_unsaved()
    assert sorted((one.label.rsplit(".", 1)[1], one.key) for one in chapters) == [
        ("drawn", [f"{__name__}.{Shop.__qualname__}", "a"]),
        ("rate", ["EUR"]),
    ]
    assert rate.__wrapped__.__name__ == "rate"
