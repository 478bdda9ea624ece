"""Applications that use what their protocol allows, for tests under real servers."""

from __future__ import annotations

import asyncio
import io
import os
import random
import time
from typing import TYPE_CHECKING, Any

import flask

from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = b"x" * 65536


class Counted:
    """Chunks that count how often they were closed, into a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Note it, one byte each."""
        handle = os.open(os.environ["CLOSES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, b"c")
        os.close(handle)


def raw(environ: dict[str, Any], start_response: Any) -> Any:
    """Plain WSGI."""
    path, body = environ["PATH_INFO"], environ["wsgi.input"]

    def late() -> Iterator[bytes]:
        yield b"before "
        yield body.read(int(environ.get("CONTENT_LENGTH") or 0))
        yield f" {random.random()}".encode()

    def endless() -> Iterator[bytes]:
        while True:
            yield str(time.time()).encode() + CHUNK

    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/file":
        return environ["wsgi.file_wrapper"](io.BytesIO(str(random.random()).encode() * 2000), 100)
    if path == "/late":
        return Counted(late())
    if path == "/endless":
        return Counted(endless())
    if path == "/all":
        return [body.read(), str(random.random()).encode()]
    if path == "/write":
        return [str(time.time()).encode()]
    return [b"here"]


def wsgi() -> Any:
    """Plain WSGI, recorded."""
    return RetraceMiddleware(raw)


def streaming() -> Any:
    """Flask, whose stream uses the request while the server takes it."""
    app = flask.Flask("clock")

    @app.post("/stream")
    def stream() -> flask.Response:
        @flask.stream_with_context
        def chunks() -> Iterator[str]:
            for word in flask.request.get_data(as_text=True).split():
                time.sleep(random.random() / 200)
                yield f"{flask.request.path} {word} {random.random()}\n"

        return flask.Response(chunks())

    @app.get("/")
    def here() -> str:
        return "here"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    return app


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """Plain ASGI."""
    if scope["type"] != "http":
        return
    path = scope["path"]
    headers = [(b"content-type", b"text/plain")]
    if path == "/hinted" and "http.response.early_hint" in scope["extensions"]:
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
    trailers = path == "/trailed" and "http.response.trailers" in scope["extensions"]
    await send(
        {"type": "http.response.start", "status": 200, "headers": headers, "trailers": trailers}
    )
    if path == "/late":
        await send({"type": "http.response.body", "body": b"before ", "more_body": True})
        message = await receive()
        while True:
            await send({"type": "http.response.body", "body": message["body"], "more_body": True})
            if not message.get("more_body"):
                break
            message = await receive()
    if path == "/endless":
        listening = asyncio.create_task(_gone(receive))
        while not listening.done():
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            await asyncio.sleep(random.random() / 1000)
        return
    await send({"type": "http.response.body", "body": str(time.time()).encode()})
    if trailers:
        await send(
            {"type": "http.response.trailers", "headers": [(b"x-sum", str(time.time()).encode())]}
        )


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def asgi() -> Any:
    """Plain ASGI, recorded."""
    return RetraceMiddleware(plain)
