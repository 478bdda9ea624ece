"""A chat: rooms by web socket, kept in a database, for tests under real servers."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from typing import Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from retrace_mw import RetraceMiddleware

_sockets: set[WebSocket] = set()


def keep(text: str) -> int:
    """Write what was said down; return how much that was so far of this word."""
    with sqlite3.connect(os.environ["CHAT_DB"], timeout=20) as connection:
        connection.execute("INSERT INTO said VALUES (?, ?)", (text, time.time()))
        (count,) = connection.execute(
            "SELECT count(*) FROM said WHERE text = ?", (text,)
        ).fetchone()
    return int(count)


async def room(socket: WebSocket) -> None:
    """Answer each word, tell it to all others, and tick in between."""
    await socket.accept()
    _sockets.add(socket)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(random.random() / 100)
            ticks += 1
            await socket.send_text(f"tick {ticks}")

    ticking = asyncio.create_task(tick())
    try:
        async for word in socket.iter_text():
            if word == "crash":
                raise ValueError(f"at tick {ticks}")
            if word == "close":
                await socket.close(4001, f"after {ticks} ticks")
                break
            count = await asyncio.to_thread(keep, word)
            text = f"{word} {count} {ticks}"
            for other in list(_sockets):
                try:
                    await other.send_text(text)
                except (WebSocketDisconnect, RuntimeError):
                    _sockets.discard(other)
    finally:
        _sockets.discard(socket)
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def refuse(socket: WebSocket) -> None:
    """Let nobody in."""
    await socket.close(4003)


def chat() -> Any:
    """Return the application."""
    app = Starlette(
        routes=[
            Route("/", lambda _: PlainTextResponse("here")),
            WebSocketRoute("/room", room),
            WebSocketRoute("/closed", refuse),
        ]
    )
    app.add_middleware(RetraceMiddleware)
    return app
