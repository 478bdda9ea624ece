"""The work that a queue hands to a task of the process is in the recording of who asked."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import random
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from retrace_core import installer, load, replay, writer
from retrace_core.concurrency.handed_over import HANDED_OVER
from retrace_mw import RetraceMiddleware
from tests.recorded import assert_identical, only_recording, record_asgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from retrace_core import Recording


@pytest.fixture(autouse=True)
def hooks() -> None:
    """Have the hooks in place before any worker begins."""
    installer.install()


def with_worker(work: Callable[[asyncio.Queue[Any]], Awaitable[None]]) -> FastAPI:
    """Return an application whose one task works on what its requests put into a queue."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.orders = asyncio.Queue()
        task = asyncio.create_task(work(app.state.orders))
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(RetraceMiddleware)
    return app


def asked(app: FastAPI, *paths: str) -> list[str]:
    """Serve an application, ask these paths at once; return what it answered."""

    async def main() -> list[str]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://t") as client,
        ):
            await asyncio.sleep(0)  # the worker waits for an order
            return [one.text for one in await asyncio.gather(*map(client.get, paths))]

    return asyncio.run(main())


def answered_by(app: FastAPI) -> None:
    """Give an application a page that orders a draw and waits for it."""

    @app.get("/{text}")
    async def page(text: str) -> str:
        answer = asyncio.get_running_loop().create_future()
        app.state.orders.put_nowait((text, answer))
        return f"{text} drew {await answer}"


async def draw_each(orders: asyncio.Queue[Any]) -> None:
    """Work on each order as it comes."""
    while True:
        text, answer = await orders.get()
        with closing(sqlite3.connect(":memory:")) as db:
            drawn = db.execute("select ?, random()", (text,)).fetchone()
        answer.set_result(drawn)


async def draw_each_with_timeout(orders: asyncio.Queue[Any]) -> None:
    """Do so, and look at something else now and then."""
    while True:
        try:
            text, answer = await asyncio.wait_for(orders.get(), 0.5)
        except TimeoutError:
            continue
        with closing(sqlite3.connect(":memory:")) as db:
            drawn = db.execute("select ?, random()", (text,)).fetchone()
        answer.set_result(drawn)


async def draw_in_tasks(orders: asyncio.Queue[Any]) -> None:
    """Do each in a task of its own."""

    async def draw(text: str, answer: asyncio.Future[Any]) -> None:
        await asyncio.sleep(random.random() / 100)
        answer.set_result(random.random())

    tasks: set[asyncio.Task[None]] = set()
    while True:
        tasks.add(asyncio.create_task(draw(*await orders.get())))


def recorded(folder: Path) -> list[Recording]:
    """Return all recordings in a folder."""
    assert writer.flush(10)
    return [load(path) for path in sorted(folder.glob("*/*/*.bin"))]


def kinds(recording: Recording, lane_id: str) -> list[str]:
    """Return the kinds of the events of a lane."""
    lane = recording.lane(lane_id)
    return [event.kind for event in lane.events if hasattr(event, "kind")] if lane else []


@pytest.mark.parametrize("work", [draw_each, draw_each_with_timeout, draw_in_tasks])
def test_a_task_that_serves_all_works_in_a_lane_of_who_asked(
    recordings: Path, work: Callable[[asyncio.Queue[Any]], Awaitable[None]]
) -> None:
    """Two requests at once: each recording has what the worker asked for it, and replays alone."""
    app = with_worker(work)
    answered_by(app)
    asked(app, "/one", "/two")
    found = recorded(recordings)
    assert len(found) == 2
    for recording in found:
        assert kinds(recording, "0.q0")
        assert_identical(recording, app)


@dataclasses.dataclass
class Drawn:
    """What the worker hands back, as it comes: with a time of its own."""

    text: str
    number: float
    at: datetime.datetime


class Broken(RuntimeError):
    """What it hands back when it fails."""


def with_poller(answers: Callable[[], asyncio.Queue[Any]], item: Callable[[str], Any]) -> FastAPI:
    """Return an application whose task looks at a plain list again and again, which is in no
    recording, and hands its results back by a queue for each name."""
    app = with_worker(lambda _: poll())
    app.state.waiting = []
    app.state.answers = {}

    async def poll() -> None:
        while True:
            while app.state.waiting:
                text = app.state.waiting.pop(0)
                for _ in range(2):
                    app.state.answers[text].put_nowait(item(text))
            await asyncio.sleep(0.001)

    @app.get("/{text}")
    async def page(text: str) -> list[str]:
        queue = app.state.answers[text] = answers()
        app.state.waiting.append(text)
        first = await asyncio.wait_for(queue.get(), 10)
        seen = [repr(first)]
        for _ in range(3):
            try:
                seen.append(repr(queue.get_nowait()))
            except asyncio.QueueEmpty:
                seen.append("empty")
                await asyncio.sleep(0.001)
            else:
                queue.task_done()
        return seen

    return app


def some_data(text: str) -> Any:
    """Return data of many kinds."""
    now = datetime.datetime.now(datetime.UTC)
    return {"drawn": Drawn(text, random.random(), now), "more": [(1, b"x"), {now.date()}]}


@pytest.mark.parametrize("item", [some_data, lambda text: Broken(text, random.random())])
@pytest.mark.parametrize("make", [asyncio.Queue, asyncio.LifoQueue])
def test_what_other_work_of_the_process_hands_over_is_kept_by_its_value(
    recordings: Path, make: Callable[[], asyncio.Queue[Any]], item: Callable[[str], Any]
) -> None:
    """So that a replay needs none of that work, which may have begun in another request."""
    app = with_poller(make, item)
    (answer,) = asked(app, "/one")
    assert "one" in answer
    recording = only_recording(recordings)
    app.router.lifespan_context = FastAPI().router.lifespan_context  # there is no worker
    assert_identical(recording, app)


def with_batches(wait: Callable[[asyncio.Future[Any]], Awaitable[Any]], fails: bool) -> FastAPI:
    """Return an application whose task works on all that its requests have left in a plain list,
    and sets their futures."""
    app = with_worker(lambda _: work())
    app.state.waiting = []
    app.state.woken = asyncio.Event()

    async def work() -> None:
        while True:
            await app.state.woken.wait()
            app.state.woken.clear()
            batch, app.state.waiting = app.state.waiting, []
            await asyncio.sleep(random.random() / 100)
            for text, future in batch:
                if fails:
                    future.set_exception(Broken(text, len(batch)))
                else:
                    future.set_result(Drawn(text, random.random(), datetime.datetime.now()))

    @app.get("/{text}")
    async def page(text: str) -> str:
        futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
        app.state.waiting += [(text, future) for future in futures]
        app.state.woken.set()
        try:
            return repr([await wait(future) for future in futures])
        except Broken as error:
            await asyncio.gather(*futures, return_exceptions=True)
            return repr(error)

    return app


async def plainly(future: asyncio.Future[Any]) -> Any:
    """Wait for a future."""
    return await future


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    "wait", [plainly, lambda future: asyncio.wait_for(future, 5), asyncio.gather]
)
def test_a_future_that_other_work_sets_is_kept_by_its_value(
    recordings: Path, wait: Callable[[asyncio.Future[Any]], Awaitable[Any]], fails: bool
) -> None:
    """As where requests are worked on in batches: two at once, each replays alone."""
    app = with_batches(wait, fails)
    one, two = asked(app, "/one", "/two")
    assert "one" in one
    assert "two" in two
    found = recorded(recordings)
    assert len(found) == 2
    app.router.lifespan_context = FastAPI().router.lifespan_context  # there is no worker
    for recording in found:
        assert kinds(recording, "0.f0")[0] == "handed.over"
        assert_identical(recording, app)


@pytest.mark.parametrize("size", [0, 5])
@pytest.mark.parametrize("closes", [False, True])
def test_what_comes_by_a_memory_stream_is_kept_by_its_value(
    recordings: Path, size: int, closes: bool
) -> None:
    """As where one request posts what another one's stream of events sends; its end too."""
    app = with_worker(lambda _: work())
    app.state.waiting = []

    async def work() -> None:
        while True:
            for text, send in app.state.waiting:
                for _ in range(2):
                    await send.send(Drawn(text, random.random(), datetime.datetime.now()))
                if closes:
                    send.close()
            app.state.waiting.clear()
            await asyncio.sleep(0.001)

    @app.get("/{text}")
    async def page(text: str) -> list[str]:
        send, receive = anyio.create_memory_object_stream[Any](size)
        own, to_own = anyio.create_memory_object_stream[Any](1)
        async with send, receive, own, to_own:
            app.state.waiting.append((text, send))
            await own.send([text])
            seen = [repr(await to_own.receive()), repr(await receive.receive())]
            if not closes:
                return [*seen, repr(await receive.receive())]
            return [*seen, *[repr(one) async for one in receive]]

    (answer,) = asked(app, "/one")
    assert answer.count("Drawn") == 2
    recording = only_recording(recordings)
    app.router.lifespan_context = FastAPI().router.lifespan_context  # there is no worker
    assert_identical(recording, app)


def test_the_end_of_a_stream_that_the_request_closes_comes_of_itself(
    recordings: Path, tmp_path: Path
) -> None:
    """What its own task has done before it closed the stream is done on replay, too."""
    app = with_worker(draw_each)
    path = tmp_path / "words.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE word (text)")

    def read(text: str) -> str:
        with closing(sqlite3.connect(path)) as db:
            return f"{text} {db.execute('SELECT count(*) FROM word').fetchall()}"

    @app.get("/{text}")
    async def page(text: str) -> str:
        send, receive = anyio.create_memory_object_stream[str](0)
        drawn: list[str] = []

        async def draw() -> None:
            async with send:
                drawn.append(await anyio.to_thread.run_sync(read, text))

        async with receive, anyio.create_task_group() as group:
            group.start_soon(draw)
            with pytest.raises(anyio.EndOfStream):
                await receive.receive()
            answer = drawn[0]
            group.cancel_scope.cancel()
        return answer

    (answer,) = asked(app, "/one")
    assert "one" in answer
    recording = only_recording(recordings)
    seen = {event.kind for lane in recording.lanes for event in lane.events}
    assert HANDED_OVER not in seen
    assert_identical(recording, app)


def test_a_wait_for_what_never_came_is_no_call(recordings: Path) -> None:
    """A task that a request left behind waits for others' requests until it is called off."""
    app = with_worker(draw_each)
    streams: list[Any] = []

    async def listen(receive: Any) -> None:
        while True:
            await receive.receive()

    @app.get("/open")
    async def opened() -> str:
        app.state.send, receive = anyio.create_memory_object_stream[Any](10)
        streams.extend([app.state.send, receive])
        app.state.listening = asyncio.create_task(listen(receive))
        return "open"

    @app.get("/say")
    async def say() -> str:
        await asyncio.sleep(0.01)
        await app.state.send.send(object())
        await asyncio.sleep(0.01)
        app.state.listening.cancel()
        return "said"

    assert asked(app, "/open", "/say") == ['"open"', '"said"']
    assert writer.flush(10)
    loaded = map(load, recordings.rglob("trace.bin"))
    recording = next(one for one in loaded if one.request.path == "/open")
    assert recording.lane("0.0").events[-2].kind == HANDED_OVER
    assert_identical(recording, app)
    for stream in streams:
        stream.close()


def test_what_the_loop_is_told_to_put_is_the_requests_own(recordings: Path) -> None:
    """By `call_soon_threadsafe`, as a thread of it does: it is put again on replay, not twice."""

    async def handler() -> list[str]:
        loop, said = asyncio.get_running_loop(), asyncio.Queue[str]()

        def say(word: str) -> None:
            loop.call_soon_threadsafe(said.put_nowait, f"{word} {random.random()}")

        await asyncio.gather(*(asyncio.to_thread(say, word) for word in ("one", "two")))
        loop.call_soon(said.put_nowait, "three")
        return [await said.get() for _ in range(3)]

    app, recording = record_asgi(recordings, handler)
    assert HANDED_OVER not in kinds(recording, "0")
    assert_identical(recording, app)


@pytest.mark.usefixtures("on_either_loop")
def test_threads_tell_the_loop_in_the_order_in_which_they_had(recordings: Path) -> None:
    switch_s = sys.getswitchinterval()

    async def handler() -> list[str]:
        loop, said, end = asyncio.get_running_loop(), list[str](), asyncio.Event()

        def say(word: str) -> None:
            for number in range(1000):
                loop.call_soon_threadsafe(said.append, f"{word} {number}")

        await asyncio.gather(*(asyncio.to_thread(say, word) for word in ("one", "two")))
        loop.call_soon(end.set)
        await end.wait()
        return said

    sys.setswitchinterval(1e-6)  # they take turns of a few steps, and other ones each time
    try:
        app, recording = record_asgi(recordings, handler)
    finally:
        sys.setswitchinterval(switch_s)
    assert_identical(recording, app)


def test_what_comes_as_completed_is_work_of_the_request_itself(recordings: Path) -> None:
    """The loop has a queue of its own for that; who asks it does no other request's work."""

    async def in_task() -> list[int]:
        naps = [asyncio.create_task(asyncio.sleep(0.001, number)) for number in range(3)]
        return sorted([await nap for nap in asyncio.as_completed(naps)])

    async def handler() -> list[int]:
        return await asyncio.create_task(in_task())

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert not [lane.id for lane in recording.lanes if "q" in lane.id]
    assert_identical(recording, app, 1)


def test_an_item_that_nobody_takes_is_not_waited_for(recordings: Path) -> None:
    """A worker that looks for more before it begins has put the item down: no work is in its lane.

    On replay it may be busy with what the start-up had not asked.
    """

    async def work(orders: asyncio.Queue[Any]) -> None:
        while True:
            batch = [await orders.get()]
            with contextlib.suppress(asyncio.QueueEmpty):
                while True:
                    batch.append(orders.get_nowait())
            for future in batch:
                future.set_result(random.random())

    app = with_worker(work)

    @app.get("/{text}")
    async def page(text: str) -> float:
        app.state.orders.put_nowait(future := asyncio.get_running_loop().create_future())
        drawn: float = await future
        return drawn

    asked(app, "/one")
    (recording,) = recorded(recordings)
    assert kinds(recording, "0.q0") == ["lane.end"]
    app.router.lifespan_context = FastAPI().router.lifespan_context  # there is no worker
    app.state.orders = asyncio.Queue()
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert not [note for note in result.notes if "given up" in note or "not made again" in note]


def test_what_others_tell_a_task_that_a_request_left_behind_is_that_requests_too(
    recordings: Path,
) -> None:
    """It waits for one item by a task of the moment, and goes on by itself: no work of theirs."""
    app = with_worker(draw_each)

    async def listen(told: asyncio.Queue[str]) -> None:
        pull = asyncio.create_task(pulled(told))
        await asyncio.wait([pull], return_when=asyncio.FIRST_COMPLETED)
        app.state.drawn = (pull.result(), random.random())

    async def pulled(told: asyncio.Queue[str]) -> str:
        return await told.get()

    @app.get("/open")
    async def opened() -> str:
        app.state.told = asyncio.Queue()
        app.state.listening = asyncio.create_task(listen(app.state.told))
        return "open"

    @app.get("/say")
    async def say() -> str:
        await asyncio.sleep(0.01)
        app.state.told.put_nowait("go on")
        await app.state.listening
        return "said"

    assert asked(app, "/open", "/say") == ['"open"', '"said"']
    drawn = app.state.drawn
    recording = next(one for one in recorded(recordings) if one.request.path == "/open")
    assert "handed.over" in kinds(recording, "0.0.0")
    assert_identical(recording, app)
    assert app.state.drawn == drawn
