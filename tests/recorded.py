"""Record one request of a small application, and replay it: what most tests do."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import flask
import httpx
from fastapi import FastAPI

from retrace_core import load, replay, writer
from retrace_core.lanes import mask
from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core import Recording


def only_recording(folder: Path) -> Recording:
    """Return the one recording in a folder; it is written when the last of its threads ends."""
    deadline = time.monotonic() + 10
    while True:
        assert writer.flush(10)
        paths = list(folder.glob("*/*/*.bin"))
        if paths or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    assert len(paths) == 1, paths
    return load(paths[0])


def record_wsgi(folder: Path, view: Callable[[], Any]) -> tuple[Any, Recording]:
    """Run a Flask view once, recorded; return the application and the recording."""
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=view, methods=["GET", "POST"])
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data=b"hello", buffered=True)
    return app, only_recording(folder)


def record_asgi(folder: Path, handler: Callable[..., Any], tasks: int = 1) -> tuple[Any, Recording]:
    """Run a FastAPI handler once, recorded; return the application and the recording."""
    app = FastAPI(title="api")
    app.get("/")(handler)
    app.add_middleware(RetraceMiddleware)

    async def main() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            await client.get("/")
            await asyncio.sleep(0.1 if tasks > 1 else 0)

    asyncio.run(main())
    return app, only_recording(folder)


def assert_identical(recording: Recording, app: Any, times: int = 3) -> None:
    """Replay several times: each must be identical."""
    for _ in range(times):
        result = replay(recording, app)
        assert result.identical, result.summary() + "\n" + "\n".join(result.notes)


def body_of(recording: Recording) -> str:
    """Return what was answered when it was recorded, which must have gone well."""
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    return b"".join(recording.response.body).decode()


def answer_of(recording: Recording) -> Any:
    """Return what was answered in JSON, as `body_of` does."""
    return json.loads(body_of(recording))


def identical_body(recording: Recording, app: Any) -> bytes:
    """Replay a recording that went well, identically; return the body that it has."""
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app)
    return b"".join(recording.response.body)


def replays_without(data: Path, recordings: Path, view: Callable[[], Any]) -> Recording:
    """Record a Flask view once, take its files away, and replay it; return the recording."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    shutil.rmtree(data)
    assert_identical(recording, app, times=2)
    assert not data.exists()
    return recording


def answered(folder: Path, view: Callable[[], Any]) -> list[Any]:
    """Record a Flask view, replay it identically, and return what it answered."""
    app, recording = record_wsgi(folder, view)
    found: list[Any] = json.loads(identical_body(recording, app))
    return found


def answered_async(folder: Path, handler: Callable[[], Any], tasks: int = 1) -> Any:
    """Record a FastAPI handler, replay it identically, and return what it answered."""
    app, recording = record_asgi(folder, handler, tasks)
    return json.loads(identical_body(recording, app))


def spin(seconds: float) -> None:
    """Keep the thread busy; no event tells of it."""
    with mask():
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass
