"""redis-py and valkey, sync: commands, scripts, locks and messages come back without Redis."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, body_of, record_wsgi
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retrace_core import Recording
    from tests.redis_server import RedisServer


@pytest.fixture(params=["redis", "valkey"])
def library(request: pytest.FixtureRequest) -> Any:
    """Return the client's module; valkey has the names of redis-py, too."""
    return importlib.import_module(request.param)


@pytest.fixture
def client(redis: RedisServer, library: Any) -> Iterator[Any]:
    """Return a client that gives text."""
    with library.Redis.from_url(redis.url(), decode_responses=True) as made:
        yield made


def kinds_of(recording: Recording) -> list[str]:
    """Return the kinds of the root lane's events."""
    return [event.kind for event in recording.lanes[0].events]


def commands_of(recording: Recording) -> list[Any]:
    """Return what was asked of Redis in the root lane."""
    events = recording.lanes[0].events
    return [event.key for event in events if event.kind.endswith(".command")]  # type: ignore[union-attr]


def replayed_elsewhere(library: Any, recordings: Path, view: Callable[[Any], Any]) -> Recording:
    """Record a view against a Redis of its own, and replay it after that is stopped."""
    with redis_server() as server, library.Redis.from_url(server.url()) as client:
        app, recording = record_wsgi(recordings, lambda: repr(view(client)))
        server.stop()
        assert_identical(recording, app)
    return recording


def test_replies_of_all_types_come_back(library: Any, recordings: Path) -> None:
    """Text, bytes, numbers, lists, sets, dicts, tuples, None, as the client returns them."""

    def view(client: Any) -> Any:
        client.hset("h", mapping={"a": 1, "b": 2.5})
        client.sadd("s", "only")
        client.zadd("z", {"one": 1, "two": 2})
        client.rpush("l", 1, b"\xff", "three")
        client.xadd("x", {"f": "v"}, id="1-1")
        return [
            client.set("k", "v", ex=60),
            client.get("k"),
            client.get("none"),
            client.ttl("k") > 0,
            client.incr("n"),
            client.incrbyfloat("f", 1.5),
            client.hgetall("h"),
            client.smembers("s"),
            client.zrange("z", 0, -1, withscores=True),
            client.lrange("l", 0, -1),
            client.xrange("x"),
            client.mget("k", "none"),
            client.exists("k", "none"),
            client.time()[0] > 0,
            client.info("server")["redis_mode"],
            sorted(client.scan_iter(count=2)),
            client.blpop(["l"], timeout=1),
            client.blpop(["nothing"], timeout=0.01),
            client.getdel("k"),
        ]

    recording = replayed_elsewhere(library, recordings, view)
    assert set(kinds_of(recording)) == {f"{library.__name__}.command"}


def test_what_the_application_does_to_a_reply_is_not_recorded(
    recordings: Path, client: Any
) -> None:
    """A dict that it changes was encoded before: on replay it gets the one that it got."""
    client.hset("h", mapping={"a": "1"})

    def view() -> dict[str, Any]:
        found: dict[str, Any] = client.hgetall("h")  # type: ignore[assignment]
        found["n"] = len(found)
        found.pop("a")
        return found

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == '{"n":1}\n'
    assert_identical(recording, app)


def test_a_pipeline_is_one_event_with_all_its_replies(library: Any, recordings: Path) -> None:
    """With and without a transaction; errors among the replies keep class and text."""

    def view(client: Any) -> Any:
        client.set("text", "no number")
        with client.pipeline() as pipe:
            both = pipe.set("a", 1).incr("a").execute()
        with client.pipeline(transaction=False) as pipe:
            mixed = pipe.get("a").incr("text").get("a").execute(raise_on_error=False)
        try:
            client.pipeline().incr("text").execute()
        except library.ResponseError as error:
            raised = str(error)
        return [both, mixed, type(mixed[1]).__qualname__, raised, client.pipeline().execute()]

    recording = replayed_elsewhere(library, recordings, view)
    assert kinds_of(recording).count(f"{library.__name__}.pipeline") == 3


def test_a_transaction_is_tried_again_as_it_was(recordings: Path, client: Any) -> None:
    """Between WATCH and EXEC another client wrote: the second attempt succeeds."""
    client.set("stock", 5)
    attempts = []
    recorded = []

    def take(pipe: Any) -> int:
        stock = int(pipe.get("stock"))
        attempts.append(stock)
        if not recorded:
            recorded.append(True)
            other = threading.Thread(target=lambda: client.set("stock", 3))
            other.start()
            other.join()
        pipe.multi()
        pipe.set("stock", stock - 1)
        return stock

    def view() -> str:
        attempts.clear()
        taken = client.transaction(take, "stock", value_from_callable=True)
        return f"{taken} after {attempts}"

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "3 after [5, 3]"
    recorded.clear()
    assert_identical(recording, app, times=1)


def test_leaving_a_watch_needs_no_connection(recordings: Path, client: Any) -> None:
    """A pipeline that watches is left without EXEC, by UNWATCH, and by an error."""
    client.set("a", 1)

    def view() -> str:
        with client.pipeline() as pipe:
            pipe.watch("a")
            found = [pipe.get("a")]
        with client.pipeline() as pipe:
            pipe.watch("a")
            pipe.unwatch()
            found += pipe.get("a").execute()
        with pytest.raises(ZeroDivisionError), client.pipeline() as pipe:
            pipe.watch("a")
            found.append(1 / 0)
        return repr(found)

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "['1', '1']"
    assert_identical(recording, app)


def test_scripts_are_loaded_where_redis_forgot_them(recordings: Path, client: Any) -> None:
    """EVALSHA fails with NOSCRIPT, the script is loaded, EVALSHA is asked again."""

    def view() -> str:
        double = client.register_script("return tonumber(ARGV[1]) * 2")
        with client.pipeline() as pipe:
            double(args=[4], client=pipe)
            piped = pipe.execute()
        return repr([double(args=[2]), double(args=[3]), client.eval("return {1}", 0), piped])

    view()
    client.script_flush()
    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "[4, 6, [1], [8]]"
    client.script_flush()
    assert_identical(recording, app)


def test_locks_wait_as_long_as_they_did(library: Any, recordings: Path, client: Any) -> None:
    """A free lock, one that is held by another until the patience ends, an extension."""
    held = client.lock("held", timeout=60)
    assert held.acquire()

    def view() -> str:
        with client.lock("free", timeout=10) as lock:
            found = [lock.owned(), lock.extend(5), lock.reacquire()]
        found.append(client.lock("held", sleep=0.01, blocking_timeout=0.05).acquire())
        try:
            library.lock.Lock(client, "held").release()
        except library.exceptions.LockError as error:
            found.append(str(error))  # type: ignore[arg-type]
        return repr(found)

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording).startswith("[True, True, True, False, ")
    held.release()
    assert_identical(recording, app)


def test_messages_come_back_and_their_handlers_run(recordings: Path, client: Any) -> None:
    """Subscribe, publish, poll, listen: handlers are the application's and run again."""
    handled: list[Any] = []

    def view() -> str:
        handled.clear()
        with client.pubsub(ignore_subscribe_messages=True) as messages:
            messages.subscribe("news", **{"odd": lambda one: handled.append(one["data"])})
            while messages.get_message(timeout=1) is not None:
                pass
            messages.get_message(timeout=1)
            receivers = [client.publish("news", "one"), client.publish("odd", "two")]
            found = [messages.get_message(timeout=1), messages.get_message(timeout=1)]
            client.publish("news", "three")
            for message in messages.listen():
                found.append(message)
                break
            found.append(messages.get_message())
        return repr([receivers, [one and one["data"] for one in found], handled])

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "[[1, 1], ['one', None, 'three', None], ['two']]"
    assert_identical(recording, app)


def test_threads_get_their_own_replies(library: Any, recordings: Path) -> None:
    """Eight threads share a pool of five connections, and end in the order they did."""

    def view(client: Any) -> Any:
        asked = client.connection_pool.connection_kwargs
        pool = library.BlockingConnectionPool(max_connections=5, **asked)
        seen: list[Any] = []

        def work(number: int) -> None:
            with library.Redis(connection_pool=pool) as own:
                for _ in range(3):
                    seen.append([number, own.incr("n"), own.blpop(["nothing"], timeout=0.01)])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pool.disconnect()
        return seen

    replayed_elsewhere(library, recordings, view)


@pytest.mark.parametrize("what", ["refused", "timeout", "wrong type", "unknown", "no password"])
def test_errors_are_raised_again(
    library: Any, recordings: Path, redis: RedisServer, what: str
) -> None:
    """Their class and text are those of redis-py; an `except` finds them."""
    port = 9 if what == "refused" else redis.port
    client = library.Redis(port=port, socket_timeout=0.2, retry=None)

    def view() -> str:
        try:
            if what == "timeout":
                client.blpop(["never"], timeout=5)
            elif what == "wrong type":
                client.set("k", "v")
                client.lpush("k", 1)
            elif what == "no password":
                client.execute_command("AUTH", "user", "sesame")
            else:
                client.execute_command("NOTHING", 1)
        except library.RedisError as error:
            return f"{type(error).__qualname__}: {error}"
        return "no error"

    app, recording = record_wsgi(recordings, view)
    assert ": " in body_of(recording)
    if what == "no password":
        assert commands_of(recording) == [["AUTH", "***"]]
    assert_identical(recording, app)
    client.close()


def test_a_client_of_one_connection_needs_none(
    library: Any, recordings: Path, redis: RedisServer
) -> None:
    """It connects when it is made; on replay it gets a stub."""

    def view() -> str:
        with library.Redis(port=redis.port, single_connection_client=True, db=2) as client:
            client.set("a", 1)
            return repr(client.get("a"))

    app, recording = record_wsgi(recordings, view)
    assert commands_of(recording)[0] == [{"db": 2}, "SET", "a", 1]
    assert_identical(recording, app)


def test_another_question_is_a_divergence(library: Any, recordings: Path, client: Any) -> None:
    """The key is what was asked: replay says so when it is another."""
    from retrace_core import replay

    keys = ["a", "b"]

    def view() -> str:
        return repr(client.get(keys[0]))

    app, recording = record_wsgi(recordings, view)
    keys.reverse()
    result = replay(recording, app)
    assert not result.identical
    assert f"{library.__name__}.command" in result.summary()
