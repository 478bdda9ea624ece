"""Several middlewares, mounted applications, and what only some servers offer."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import flask
import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from retrace_core import load, replay, writer
from retrace_mw import Decision, RequestView, RetraceMiddleware
from tests.recorded import assert_identical, only_recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

ALLOWED = {"http.response.pathsend": {}, "http.response.zerocopysend": {}}


async def call(app: Any, path: str = "/", *incoming: dict[str, Any], **scope: Any) -> list[Any]:
    """Send one request to an ASGI application; return the messages that come out."""
    sent: list[Any] = []
    waiting = list(incoming) or [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
    }
    await app({**whole, **scope}, receive, send)
    return sent


def counting(verdict: str, asked: list[str], name: str) -> Any:
    """Return a decider that notes that it was asked."""

    def decide(_: RequestView) -> Decision:
        asked.append(name)
        return Decision(verdict, "test", "test")  # type: ignore[arg-type]

    return decide


@pytest.mark.parametrize("verdict", ["yes", "no", "tail"])
@pytest.mark.parametrize("protocol", ["asgi", "wsgi"])
def test_of_nested_middlewares_the_outermost_decides(
    recordings: Path, protocol: str, verdict: str
) -> None:
    """Also when it says no: one decision for a request, and at most one recording."""
    asked: list[str] = []
    outer, inner = counting(verdict, asked, "outer"), counting("yes", asked, "inner")
    if protocol == "asgi":
        below = Starlette(routes=[Route("/x", lambda _: PlainTextResponse(str(time.time())))])
        mounted = RetraceMiddleware(below, decide=inner, service="inner")
        app = RetraceMiddleware(
            Starlette(routes=[Mount("/below", app=mounted)]), decide=outer, service="outer"
        )
        for _ in range(2):
            assert asyncio.run(call(app, "/below/x"))[0]["status"] == 200
    else:
        small = flask.Flask("below")
        small.add_url_rule("/x", view_func=lambda: str(time.time()))
        mounted = RetraceMiddleware(small.wsgi_app, decide=inner, service="inner")
        app = RetraceMiddleware(
            DispatcherMiddleware(flask.Flask("above").wsgi_app, {"/below": mounted}),
            decide=outer,
            service="outer",
        )
        for _ in range(2):
            assert Client(app).get("/below/x", buffered=True).status_code == 200
    assert asked == ["outer", "outer"]
    assert writer.flush()
    paths = sorted(recordings.glob("*/*/*.bin"))
    assert [path.parent.name for path in paths] == ["outer"] * (2 if verdict == "yes" else 0)
    for path in paths:
        assert_identical(load(path), app)


def test_the_application_sees_nothing_of_a_decision(recordings: Path) -> None:
    """What marks a request as decided is gone when it has been served."""
    scope = {"type": "http", "path": "/", "headers": [], "method": "GET"}
    before = dict(scope)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        return None

    async def nothing(*_: Any) -> Any:
        return None

    asyncio.run(RetraceMiddleware(app, sample_rate=0)(scope, nothing, nothing))
    assert scope == before


def test_two_services_in_one_process_record_apart(recordings: Path) -> None:
    """Each under its own name; where one calls the other within the process, that is part of the
    caller's request, and in its recording."""
    back = Starlette(routes=[Route("/price", lambda _: JSONResponse({"at": time.time()}))])
    back.add_middleware(RetraceMiddleware, service="back")

    async def shop(_: Request) -> JSONResponse:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(back), base_url="http://back"
        ) as client:
            price = (await client.get("/price")).json()
        return JSONResponse({"price": price, "luck": random.random()})

    front = Starlette(routes=[Route("/", shop)])
    front.add_middleware(RetraceMiddleware, service="front")

    async def main() -> None:
        await asyncio.gather(call(front), call(back, "/price"))

    asyncio.run(main())
    assert writer.flush()
    found = {path.parent.name: load(path) for path in recordings.glob("*/*/trace.bin")}
    assert sorted(found) == ["back", "front"]
    assert_identical(found["front"], front)
    assert_identical(found["back"], back)


def test_a_path_to_send_is_passed_on_and_compared(recordings: Path, tmp_path: Path) -> None:
    """Where the server sends files by itself, it gets the path, and so does the recording."""
    file = tmp_path / "page.txt"
    file.write_text("page")
    names = [str(file)]

    async def page(_: Request) -> FileResponse:
        return FileResponse(names[0])

    app = Starlette(routes=[Route("/", page)])
    app.add_middleware(RetraceMiddleware)
    sent = asyncio.run(call(app, extensions=ALLOWED))
    assert sent[1]["type"] == "http.response.pathsend"
    assert sent[1]["path"] == str(file)
    recording = only_recording(recordings)
    assert recording.response is not None
    assert recording.response.complete
    assert_identical(recording, app)
    other = tmp_path / "fake.txt"
    other.write_text("page")
    names[0] = str(other)
    assert not replay(recording, app).identical


def test_an_open_file_to_send_is_passed_on_untouched(recordings: Path, tmp_path: Path) -> None:
    """Zero-copy send: the server gets the very object; how much of it is compared."""
    file = tmp_path / "page.txt"
    file.write_text("page")
    counts = [4]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        with open(file, "rb") as stream:  # noqa: ASYNC230  # what is sent is an open file
            await send({"type": "http.response.start", "status": 200, "headers": []})
            message = {"type": "http.response.zerocopysend", "file": stream, "count": counts[0]}
            await send(message)

    wrapped = RetraceMiddleware(app)
    sent = asyncio.run(call(wrapped, extensions=ALLOWED))
    assert sent[1]["file"].name == str(file)
    recording = only_recording(recordings)
    assert recording.response is not None
    assert recording.response.complete
    assert_identical(recording, wrapped)
    counts[0] = 3
    assert [one.what for one in replay(recording, wrapped).differences] == ["message 1"]


def test_a_client_that_leaves_before_the_answer(recordings: Path) -> None:
    """An application that listens for it ends its work, and does so again."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        working = asyncio.create_task(asyncio.sleep(30))
        seen = [await receive()]
        while seen[-1]["type"] != "http.disconnect":
            seen.append(await receive())
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await asyncio.sleep(random.random() / 1000)

    wrapped = RetraceMiddleware(app)
    asyncio.run(call(wrapped, "/", {"type": "http.request", "body": b"x", "more_body": True}))
    recording = only_recording(recordings)
    assert recording.response is None
    assert_identical(recording, wrapped)


def test_work_behind_the_answer(recordings: Path) -> None:
    """Starlette's background tasks, on the loop and on threads, and tasks that nobody awaits."""
    left: set[asyncio.Task[Any]] = set()

    def on_a_thread() -> None:
        time.sleep(random.random() / 500)

    async def handler(_: Request) -> PlainTextResponse:
        async def alone() -> None:
            await asyncio.to_thread(on_a_thread)
            await asyncio.sleep(random.random() / 500)

        left.add(asyncio.create_task(alone()))
        return PlainTextResponse(str(time.time()), background=BackgroundTask(on_a_thread))

    app = Starlette(routes=[Route("/", handler)])
    app.add_middleware(RetraceMiddleware)

    async def main() -> None:
        await call(app)
        await asyncio.gather(*left)
        left.clear()

    asyncio.run(main())
    recording = only_recording(recordings)
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert kinds.count("time.sleep") == 2
    assert kinds.count("asyncio.sleep") == 1
    assert_identical(recording, app)


def test_cancelled_by_a_timeout_while_a_group_works(recordings: Path) -> None:
    """asyncio.timeout round a TaskGroup: who had ended, and who was cancelled, is the same."""

    async def handler(_: Request) -> JSONResponse:
        ended: list[Any] = []

        async def work(number: int) -> None:
            try:
                await asyncio.sleep(0.01 * (number + 1) if number < 3 else 30)
                ended.append((number, random.random()))
            except asyncio.CancelledError:
                ended.append((number, "cancelled"))
                raise

        try:
            async with asyncio.timeout(0.1):
                async with asyncio.TaskGroup() as group:
                    for number in range(5):
                        group.create_task(work(number))
        except TimeoutError:
            ended.append("timed out")
        return JSONResponse(ended)

    app = Starlette(routes=[Route("/", handler)])
    app.add_middleware(RetraceMiddleware)
    asyncio.run(call(app))
    recording = only_recording(recordings)
    assert recording.response is not None
    assert b"".join(recording.response.body).count(b"cancelled") == 2
    assert_identical(recording, app)


def test_what_a_shutdown_does_is_of_no_request(recordings: Path, tmp_path: Path) -> None:
    """It is refused on replay, as all that is live, and makes no difference to the request."""
    said = tmp_path / "running"
    said.touch()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        said.unlink()

    app = RetraceMiddleware(
        Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))], lifespan=lifespan)
    )
    asyncio.run(call(app))
    assert_identical(only_recording(recordings), app)
    assert said.exists()
