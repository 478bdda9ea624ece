"""How many pieces a body goes out in, where that hangs on a secret that was masked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOKEN = "-".join(["Zk4", "9xQ_7vRt2LmPwJ8s"])  # nothing that stands in the code
BODY = b"as good as packed"


@pytest.mark.parametrize(("recorded", "replayed"), [(4, 5), (5, 4), (2, 17), (17, 1)])
def test_another_number_of_pieces(recordings: Path, recorded: int, replayed: int) -> None:
    """As of a body that is packed: with the mask it has another length. It says the same."""

    async def view(request: Any) -> Any:
        token = (await request.json())["access_token"]
        number = recorded if token == TOKEN else replayed

        async def pieces() -> AsyncIterator[bytes]:
            for place in range(number - 1):
                yield BODY[place : place + 1]
            yield BODY[number - 1 :]

        return StreamingResponse(pieces(), background=BackgroundTask(time.time_ns))

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", view, methods=["POST"])]))
    with TestClient(app) as client:
        assert client.post("/", json={"access_token": TOKEN}).content == BODY
    assert writer.flush(10)
    result = replay(load(files(recordings)[0]), app)
    assert result.identical, result.summary()


def test_what_it_says_is_compared(recordings: Path) -> None:
    """A body that lacks its last piece differs."""

    async def view(request: Any) -> Any:
        token = (await request.json())["access_token"]

        async def pieces() -> AsyncIterator[bytes]:
            yield BODY
            if token == TOKEN:
                yield BODY

        return StreamingResponse(pieces())

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", view, methods=["POST"])]))
    with TestClient(app) as client:
        client.post("/", json={"access_token": TOKEN})
    assert writer.flush(10)
    result = replay(load(files(recordings)[0]), app)
    assert not result.same_outcome


@pytest.mark.parametrize("pieces", [1, 3])
def test_in_clear_each_is_asked(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    """Where nothing is masked, nothing but other code makes other pieces."""
    monkeypatch.setenv("RETRACE_REDACT", "0")
    number = 2

    async def view(_: Any) -> Any:
        async def each() -> AsyncIterator[bytes]:
            for place in range(number - 1):
                yield BODY[place : place + 1]
            yield BODY[number - 1 :]

        return StreamingResponse(each())

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", view)]))
    with TestClient(app) as client:
        client.get("/")
    assert writer.flush(10)
    number = pieces
    result = replay(load(files(recordings)[0]), app)
    assert not result.identical
