"""Peer: the other end of a web socket, to an ASGI application in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

Message = dict[str, Any]


class Peer:
    """Opens a web socket to an application: `async with Peer(app) as peer: ...`.

    Args:
        app: the ASGI callable.
        path: of the handshake.
        headers: of the handshake.
        subprotocols: that the peer offers.
    """

    def __init__(
        self,
        app: Any,
        path: str = "/ws",
        *,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
    ) -> None:
        self._app = app
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost"), *(headers or [])],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "subprotocols": subprotocols or [],
            "state": {},
            "extensions": {"websocket.http.response": {}},
        }
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Peer:
        async def send(message: Message) -> None:
            await self._from_app.put(message)

        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._app(self._scope, self._to_app.get, send))
        self.answer = await asyncio.wait_for(self.hear(), 20)
        """How the handshake was answered."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            self.leave()
        else:
            self._task.cancel()
        await asyncio.wait([self._task], timeout=20)
        assert self._task.done()
        self._task.cancelled() or self._task.exception()  # told by the recording

    def say(self, message: str | bytes) -> None:
        """Send a message."""
        text, data = (message, None) if isinstance(message, str) else (None, message)
        self._to_app.put_nowait({"type": "websocket.receive", "text": text, "bytes": data})

    def leave(self, code: int = 1000) -> None:
        """Close the socket; 1006 is a connection that broke."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})

    async def hear(self) -> Message:
        """Return the application's next message."""
        return await asyncio.wait_for(self._from_app.get(), 20)

    async def ask(self, message: str | bytes) -> Any:
        """Send a message; return what the next one of the application holds."""
        self.say(message)
        heard = await self.hear()
        return heard.get("text") if heard.get("text") is not None else heard.get("bytes")
