"""httpx, sync and async: exchanges, streams and failures come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.http_origin import origin
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
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
