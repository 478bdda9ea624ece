"""Threads of a pool: work on replay finds what its own thread keeps, and no other's."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from anyio import from_thread, to_thread
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from retrace_core import load, replay, writer
from retrace_core.lanes import mask
from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording

ROUNDS = 5


class Kept(threading.local):
    """What each thread keeps for itself."""

    words: str = ""


def application(view: Any) -> Starlette:
    """Return an application of one view, with the middleware."""
    app = Starlette(routes=[Route("/{word}", view)])
    app.add_middleware(RetraceMiddleware)
    return app


def kept_of(recordings: Path, count: int) -> list[Recording]:
    """Return what was recorded, oldest first."""
    assert writer.flush(10)
    found = [load(path) for path in recordings.glob("*/*/*.bin")]
    assert len(found) == count
    return sorted(found, key=lambda one: one.header.started_ns)


def recorded(recordings: Path, view: Any, words: list[str]) -> tuple[Any, list[Recording]]:
    """Have a view asked once for each word, one after the other."""
    app = application(view)
    with TestClient(app) as client:
        for word in words:
            assert client.get("/" + word).status_code == 200
    return app, kept_of(recordings, len(words))


def said(recording: Recording) -> str:
    """Return the text of a recorded response."""
    assert recording.response is not None
    return b"".join(recording.response.body).decode()


def test_workers_of_anyio(recordings: Path) -> None:
    """Requests that were under way at once were on several; they are replayed one by one."""
    kept, first, second = Kept(), threading.Barrier(2), threading.Barrier(2)
    meets = {"a": first, "b": first, "c": second, "d": second}

    def work(word: str) -> str:
        with mask():  # the test waits here, and no request
            if word in meets:
                meets[word].wait(10)
        kept.words += word
        return kept.words

    async def view(request: Any) -> PlainTextResponse:
        return PlainTextResponse(await to_thread.run_sync(work, request.path_params["word"]))

    app = application(view)

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            for words in ("ab", "cd", "e"):
                await asyncio.gather(*(client.get("/" + word) for word in words))

    asyncio.run(ask())
    meets.clear()
    found = kept_of(recordings, 5)
    assert {said(one) for one in found[:2]} == {"a", "b"}
    for place, one in enumerate(found):
        for _ in range(ROUNDS):
            result = replay(one, app, before=found[:place])
            assert result.identical, result.summary()


def test_work_calls_back_into_the_event_loop(recordings: Path) -> None:
    """The thread that stands for a worker of anyio's knows its loop."""

    async def inside(word: str) -> str:
        await anyio.lowlevel.checkpoint()
        return word.upper()

    def work(word: str) -> str:
        return from_thread.run(inside, word)

    async def view(request: Any) -> PlainTextResponse:
        return PlainTextResponse(await to_thread.run_sync(work, request.path_params["word"]))

    app, found = recorded(recordings, view, ["a", "b"])
    for place, one in enumerate(found):
        result = replay(one, app, before=found[:place])
        assert result.identical, result.summary()


def test_an_executor_of_the_process(recordings: Path) -> None:
    """Its threads keep what earlier requests left there, and have the names they had."""
    pool, kept = ThreadPoolExecutor(3, thread_name_prefix="shop"), Kept()

    def work(word: str, gate: threading.Barrier) -> str:
        gate.wait(10)
        kept.words += word
        return f"{kept.words}@{threading.current_thread().name}"

    def view(request: Any) -> PlainTextResponse:
        word = request.path_params["word"]
        gate = threading.Barrier(2)
        futures = [pool.submit(work, word + str(n), gate) for n in range(2)]
        return PlainTextResponse(" ".join(future.result() for future in futures))

    app, found = recorded(recordings, view, list("abcdef"))
    assert "shop_" in said(found[0])
    for place, one in enumerate(found):
        for _ in range(ROUNDS):
            result = replay(one, app, before=found[:place])
            assert result.identical, result.summary()


def test_what_an_initializer_did(recordings: Path) -> None:
    """Is there on replay as well, where it is done once more."""
    kept = Kept()

    def initialize() -> None:
        kept.words = "made "

    def view(request: Any) -> PlainTextResponse:
        with ThreadPoolExecutor(1, initializer=initialize) as pool:
            word = request.path_params["word"]
            return PlainTextResponse(pool.submit(lambda: kept.words + word).result())

    app, found = recorded(recordings, view, ["a"])
    assert said(found[0]) == "made a"
    result = replay(found[0], app)
    assert result.identical, result.summary()


def test_an_exception_of_the_work(recordings: Path) -> None:
    """Reaches the one who waits for it."""
    pool = ThreadPoolExecutor(1)

    def work() -> None:
        raise LookupError("no pears")

    def view(request: Any) -> PlainTextResponse:
        with pytest.raises(LookupError) as caught:
            pool.submit(work).result()
        return PlainTextResponse(str(caught.value))

    app, found = recorded(recordings, view, ["a"])
    result = replay(found[0], app)
    assert result.identical, result.summary()
