"""httpx, sync and async: exchanges, streams and failures come back."""

from __future__ import annotations

import asyncio
import gc
import json
import random
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.http_origin import origin
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATHS = ["json", "redirect", "gzip", "chunked", "error"]


def test_sync_exchanges_come_back(recordings: Path) -> None:
    """Redirects, decoding, chunks and an error status, through one pooled client."""
    client = httpx.Client(follow_redirects=True)
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            found = {path: client.get(f"{base}/{path}").text for path in PATHS}
            with client.stream("GET", f"{base}/chunked") as streamed:
                found["streamed"] = "|".join(streamed.iter_text())
            found["posted"] = client.post(base, json={"a": 1}).text
            return found

        app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_async_exchanges_come_back(recordings: Path) -> None:
    """The same with the asynchronous client, and with one that lives for the request only."""
    client = httpx.AsyncClient(follow_redirects=True)
    with origin() as (base, _):

        async def handler() -> dict[str, Any]:
            found = {path: (await client.get(f"{base}/{path}")).text for path in PATHS}
            async with client.stream("GET", f"{base}/chunked") as streamed:
                found["streamed"] = "|".join([part async for part in streamed.aiter_text()])
            async with httpx.AsyncClient() as own:
                found["own"] = (await own.get(f"{base}/json")).text
            return found

        app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)


@pytest.mark.parametrize("path", ["hang", "broken", "refused"])
def test_failures_are_raised_again(recordings: Path, path: str) -> None:
    """A timeout, a body that ends early and a refused connection, as httpx raised them."""
    client = httpx.Client(timeout=0.2)
    with origin() as (base, _):
        url = "http://127.0.0.1:9/" if path == "refused" else f"{base}/{path}"

        def view() -> dict[str, Any]:
            try:
                return {"read": client.get(url).text}
            except httpx.HTTPError as error:
                return {"error": type(error).__name__, "request": str(error.request.url)}

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b'"error"' in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_bodies_that_the_application_produces_are_produced_again(recordings: Path) -> None:
    """What a generator of a request's body reads and waits for belongs to the request."""
    client = httpx.AsyncClient()
    with origin() as (base, _):

        async def body(fails: bool) -> AsyncIterator[bytes]:
            for _ in range(2):
                await asyncio.sleep(0.001)
                yield f"{random.random():.16f}".encode()
            if fails:
                raise KeyError("no more")

        async def handler() -> dict[str, Any]:
            sized = {"Content-Length": "36"}
            found: dict[str, Any] = {}
            try:
                await client.post(base, content=body(fails=True), headers=sized)
            except (KeyError, httpx.HTTPError) as error:
                found["error"] = type(error).__name__
            found["after"] = (await client.get(f"{base}/json")).json()
            return found

        app, recording = record_asgi(recordings, handler)
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert kinds.count("asyncio.sleep") == 2
    assert_identical(recording, app)


def test_a_stream_that_is_left_early_holds_nothing_up(recordings: Path) -> None:
    """Its generators are closed by the collector, at no particular time, in no lane."""
    client = httpx.AsyncClient()
    with origin() as (base, _):

        async def handler() -> list[str]:
            found = []
            for _ in range(2):
                async with client.stream("GET", f"{base}/chunked") as answer:
                    async for part in answer.aiter_text():
                        found.append(part)
                        break
                gc.collect()
                await asyncio.sleep(0)
            return found

        app, recording = record_asgi(recordings, handler)
    assert [lane.id for lane in recording.lanes] == ["0"]
    assert_identical(recording, app)


def test_failures_know_what_caused_them(recordings: Path) -> None:
    """The exceptions that one was raised from come back with it."""
    with origin() as (base, _):

        def view() -> list[str]:
            try:
                httpx.get(f"{base}/hang", timeout=0.1)
            except httpx.TimeoutException as error:
                chain: list[BaseException] = [error]
                while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
                    chain.append(cause)
                return [type(one).__module__ + "." + type(one).__name__ for one in chain[:2]]
            return []

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"httpcore.ReadTimeout" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_the_traces_headers_are_in_a_request_only_while_it_is_sent(recordings: Path) -> None:
    """The server gets them; the application finds its request as it has made it."""
    with origin() as (url, _):

        def view() -> Any:
            with httpx.Client() as client:
                response = client.get(url, headers={"X-Own": "1"})
            return [sorted(response.json()["headers"]), sorted(response.request.headers)]

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    sent, left = json.loads(recording.response.body[0])
    assert {"x-own", "traceparent", "x-retrace"} <= {name.lower() for name in sent}
    assert "x-own" in left
    assert "traceparent" not in left
    assert_identical(recording, app)
