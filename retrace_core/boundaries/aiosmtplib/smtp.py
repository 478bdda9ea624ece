"""aiosmtplib: one event for each reply of the mail server.

What stands above is aiosmtplib's own code, also on replay. What is asked is the command;
passwords, and the mail itself, are not kept.

Hooks: `SMTP._create_connection`, whose event loop is one that connects, and turns to TLS, as
recorded (an event only when it fails); `SMTPProtocol.write`, which says what is asked next;
`SMTPProtocol.read_response`. Read in aiosmtplib 4 and 5.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import TYPE_CHECKING, Any

from aiosmtplib import errors, protocol, response, smtp

from retrace_core.boundary import Boundary, Patch, attempt_async, call_async, in_replay, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CONNECT, _REPLY, _TLS = "aiosmtplib.connect", "aiosmtplib.reply", "aiosmtplib.starttls"
_ASKED = "_retrace_asked"
_GREETING, _DATA, _MAIL = "greeting", "data", "a mail"
_WITH_ARGUMENTS = ("mail", "rcpt", "vrfy", "expn")
_NEUTRAL = {_GREETING: 220, _DATA: 354, "auth": 235, "quit": 221, "starttls": 220}


class _StubTransport(asyncio.Transport):
    """A connection to nowhere: what is written is dropped."""

    def __init__(self, told: Any) -> None:
        super().__init__()
        self._told = told
        self._closing = False

    def is_closing(self) -> bool:
        return self._closing

    def write(self, data: Any) -> None:
        """Drop what is sent."""

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._told.connection_lost, None)

    abort = close


class _Loop:
    """The event loop, as one client sees it: connections are as they were recorded."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(self, factory: Callable[[], Any], **options: Any) -> Any:
        where = f"{options.get('host')}:{options.get('port')}"
        live = functools.partial(self._loop.create_connection, factory, **options)
        return await _connected(where, factory, live)

    async def create_unix_connection(self, factory: Callable[[], Any], **options: Any) -> Any:
        live = functools.partial(self._loop.create_unix_connection, factory, **options)
        return await _connected(str(options.get("path")), factory, live)

    async def start_tls(self, transport: Any, *args: Any, **options: Any) -> Any:
        live = functools.partial(self._loop.start_tls, transport, *args, **options)
        lane = current()
        if isinstance(transport, _StubTransport) and lane is None:
            return transport
        return await (
            live() if lane is None else attempt_async(lane, _TLS, None, live, lambda: transport)
        )


async def _connected(where: str, factory: Callable[[], Any], live: Callable[[], Any]) -> Any:
    def stub() -> Any:
        told = factory()
        transport = _StubTransport(told)
        told.connection_made(transport)
        return transport, told

    lane = current()
    if lane is None:
        return stub() if in_replay() else await live()
    return await attempt_async(lane, _CONNECT, where, live, stub)


def _create_connection(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def _create_connection(self: Any, timeout: float | None) -> Any:  # noqa: ASYNC109  # it is theirs
        if current() is not None or in_replay():
            self.loop = _Loop(self.loop)
        return await original(self, timeout)

    return _create_connection


def _write(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def write(self: Any, data: bytes) -> None:
        if current() is None and not isinstance(self.transport, _StubTransport):
            return original(self, data)
        before = getattr(self, _ASKED, _GREETING)
        setattr(self, _ASKED, _MAIL if before == _DATA else _asked(data))
        with mask():
            return original(self, data)

    return write


def _asked(data: bytes) -> str:
    """Return the command; in a dialogue of logging in it is a secret itself."""
    verb, _, arguments = data.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
    verb = verb.lower() if verb.isalpha() and len(verb) <= 8 else "auth"
    return f"{verb} {arguments}" if verb in _WITH_ARGUMENTS else verb


def _read_response(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def read_response(self: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        lane, asked = current(), getattr(self, _ASKED, _GREETING)

        async def neutral() -> Any:
            return response.SMTPResponse(_NEUTRAL.get(asked, 250), "")

        if lane is None:
            stub = isinstance(self.transport, _StubTransport)
            return await (neutral() if stub else original(self, timeout))
        live = neutral if lane.mode == REPLAY else functools.partial(original, self, timeout)
        try:
            return await call_async(lane, _REPLY, asked, live, list, _response)
        except errors.SMTPServerDisconnected:
            if isinstance(self.transport, _StubTransport):
                self.transport.close()
            raise

    return read_response


def _response(kept: Any) -> Any:
    return response.SMTPResponse(*kept)


BOUNDARY = Boundary(
    kind="aiosmtplib",
    supports="aiosmtplib>=4",
    hooks=(
        Patch(smtp.SMTP, "_create_connection", _create_connection),
        Patch(protocol.SMTPProtocol, "write", _write),
        Patch(protocol.SMTPProtocol, "read_response", _read_response),
    ),
    errors=("aiosmtplib.errors", OSError, ssl.SSLError, ssl.SSLCertVerificationError),
)
