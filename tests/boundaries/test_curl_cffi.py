"""curl_cffi, whose transfers are libcurl's: they come back with the server stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import curl_cffi
import pytest
from curl_cffi import requests

from retrace_core import installer
from tests.http_origin import origin
from tests.recorded import identical_body, record_asgi, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def _said(response: Any) -> list[Any]:
    return [response.status_code, response.text, dict(response.headers), response.url]


def test_transfers_come_back(recordings: Path) -> None:
    """Of a session that is kept, and of none; redirects, a body that is sent, one in pieces."""
    installer.install()
    kept = requests.Session()
    with origin() as (base, _):
        kept.get(base)

        def view() -> list[Any]:
            pieces = [
                piece.decode()
                for piece in requests.get(f"{base}/chunked", stream=True).iter_content()
            ]
            return [
                _said(kept.get(f"{base}/redirect")),
                _said(requests.post(base, json={"a": 1})),
                kept.get(base).elapsed.total_seconds(),
                pieces,
            ]

        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_several_at_once_under_asyncio(recordings: Path) -> None:
    """By one session of the process, which an earlier request made."""
    sessions: list[Any] = []

    async def handler() -> list[Any]:
        if not sessions:
            sessions.append(requests.AsyncSession())
        (session,) = sessions
        got = await asyncio.gather(*(session.get(base) for _ in range(4)))
        streamed = await session.get(f"{base}/chunked", stream=True)
        pieces = [piece.decode() async for piece in streamed.aiter_content()]
        await sessions.pop().close()
        return [[_said(one) for one in got], pieces]

    with origin() as (base, _):
        app, recording = record_asgi(recordings, handler)
    identical_body(recording, app)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_failures_come_back(recordings: Path, asynchronous: bool) -> None:
    """Nobody listens."""

    def raised(error: curl_cffi.requests.RequestsError) -> list[Any]:
        return [type(error).__name__, str(error), int(error.code)]

    def view() -> list[Any]:
        try:
            return [_said(requests.get("http://127.0.0.1:1/"))]
        except requests.RequestsError as error:
            return raised(error)

    async def handler() -> list[Any]:
        async with requests.AsyncSession() as session:
            try:
                return [_said(await session.get("http://127.0.0.1:1/"))]
            except requests.RequestsError as error:
                return raised(error)

    app, recording = (
        record_asgi(recordings, handler) if asynchronous else record_wsgi(recordings, view)
    )
    assert b"Could" in identical_body(recording, app) or b"connect" in identical_body(
        recording, app
    )


def test_the_trace_is_handed_on(recordings: Path) -> None:
    """With each request, though the headers are curl's to send."""
    with origin() as (base, _):
        app, recording = record_wsgi(recordings, lambda: requests.get(f"{base}/headers").json())
    assert recording.header.trace_id.encode() in identical_body(recording, app)
