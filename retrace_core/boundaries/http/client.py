"""http.client, and so `urllib.request`, requests, urllib3, botocore and all else built on it.

What is recorded is the bytes of the response as they are read from the socket; everything
above (parsing, chunks, gzip, redirects, retries, error mapping) is the library's own code,
also on replay. Setting up a connection is an event only when it fails, because whether one
is needed depends on how warm a pool is.

Hooks: `HTTPConnection.connect`, `HTTPSConnection.connect`, `putrequest`, `endheaders`,
`send`, `getresponse`, and `HTTPResponse.__init__` for the reader below the response. Read in
CPython 3.11 to 3.13.
"""

from __future__ import annotations

import errno
import functools
import io
import socket
import ssl
from http import client
from typing import TYPE_CHECKING, Any, cast

from retrace_core.boundary import Boundary, Patch, attempt, call
from retrace_core.http_clients.http_exchange import connecting, exchange_key, headers_to_send
from retrace_core.native import REPLAY, current
from retrace_core.sockets.stub_socket import StubSocket

if TYPE_CHECKING:
    from collections.abc import Callable

_BUFFER_BYTES = 64 * 1024
_STATE = "_retrace_exchange"


class _Exchange:
    """What is known of the request that a connection is sending."""

    __slots__ = ("method", "url")

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url


class _ReadSocket(StubSocket):
    """The stub of a connection from which recorded bytes are read."""

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """Return a reader of the recorded bytes."""
        return io.BufferedReader(RecordedBytes(None, current()), _BUFFER_BYTES)


def _nothing(*_: object, **__: object) -> None:
    return None


class RecordedBytes(io.RawIOBase):
    """The bytes of one response: read from the live reader and recorded, or given back.

    Args:
        raw: the live reader; None on replay.
        lane: the lane that made the exchange, for reads where none is current.
    """

    def __init__(self, raw: io.RawIOBase | None, lane: Any) -> None:
        super().__init__()
        self._raw = raw
        self._lane = lane

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Fill `buffer`; one read is one event."""
        lane = current() or self._lane
        raw = self._raw
        if lane is None or (raw is not None and lane.mode == 0):
            return raw.readinto(buffer) if raw is not None else 0

        def read() -> bytes:
            if raw is None:
                # The start-up of a process that started the recorded one asks what is on no
                # tape; it is told what it would be told with no network.
                raise ConnectionResetError(errno.ECONNRESET, "this response was not recorded")
            filled = raw.readinto(buffer) or 0
            return bytes(memoryview(buffer)[:filled])

        data: bytes = call(lane, "http.bytes", None, read)
        memoryview(buffer)[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        """Return the live reader's descriptor."""
        if self._raw is None:
            raise OSError("a replayed response has no descriptor")
        return self._raw.fileno()

    def close(self) -> None:
        """Close the live reader too."""
        if not self.closed:
            super().close()
            if self._raw is not None:
                self._raw.close()


def _stub(connection: Any) -> None:
    connection.sock = _ReadSocket(connection.host, connection.port or 0)
    # urllib3 asks these of a connection that it has made.
    connection.is_verified = True
    connection.proxy_is_verified = True if getattr(connection, "proxy", None) else None


def _putrequest(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def putrequest(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        if current() is not None:
            setattr(self, _STATE, _Exchange(method, _absolute(self, url)))
        return original(self, method, url, *args, **kwargs)

    return putrequest


def _absolute(connection: Any, url: str) -> str:
    if "://" in url:
        return url
    scheme = "https" if isinstance(connection, client.HTTPSConnection) else "http"
    host = getattr(connection, "_tunnel_host", None) or connection.host
    port = getattr(connection, "_tunnel_port", None) or connection.port
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}{url}"


@functools.lru_cache(64)
def _begins(name: str) -> bytes:
    """Return what a header's line begins with, after the end of the one before."""
    return f"\n{name.lower()}:".encode("latin-1")


def _endheaders(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def endheaders(self: Any, *args: Any, **kwargs: Any) -> None:
        carried = headers_to_send(current())
        if carried:
            # Every call pays for it: they need not be looked at as what `putheader` is given.
            given = b"\n".join(self._buffer).lower()
            lines = [f"{name}: {value}" for name, value in carried if _begins(name) not in given]
            if lines:
                self._output("\r\n".join(lines).encode("latin-1"))
        return original(self, *args, **kwargs)

    return endheaders


def _send(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def send(self: Any, data: Any) -> None:
        lane = current()
        if lane is None:
            return original(self, data)
        if self.sock is None and self.auto_open:
            self.connect()  # an event of its own, when it fails
        if lane.mode == REPLAY and not isinstance(data, bytes | bytearray | memoryview):
            # What produces the body is the application's: it runs on replay too.
            for _ in data:
                pass
        return attempt(lane, "http.send", None, lambda: original(self, data))

    return send


def _getresponse(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args, **kwargs)
        exchange: _Exchange | None = getattr(self, _STATE, None)
        key = exchange_key(exchange.method, exchange.url) if exchange else "?"
        # An event without an answer: it says where the exchange begins, and is compared. The
        # status, and any failure, come with the bytes that are read below.
        call(lane, "http.exchange", key, _nothing)
        return original(self, *args, **kwargs)

    return getresponse


def _response_init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, sock: Any, *args: Any, **kwargs: Any) -> None:
        original(self, sock, *args, **kwargs)
        lane = current()
        if lane is not None and lane.mode == REPLAY:
            # Even where a connection that was opened live is still in a pool.
            self.fp = io.BufferedReader(RecordedBytes(None, lane), _BUFFER_BYTES)
        elif lane is not None:
            live = cast("io.BufferedReader", self.fp).detach()
            self.fp = io.BufferedReader(RecordedBytes(cast("Any", live), lane), _BUFFER_BYTES)

    return __init__


BOUNDARY = Boundary(
    kind="http",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(client.HTTPConnection, "connect", connecting(_stub)),
        Patch(client.HTTPSConnection, "connect", connecting(_stub)),
        Patch(client.HTTPConnection, "putrequest", _putrequest),
        Patch(client.HTTPConnection, "endheaders", _endheaders),
        Patch(client.HTTPConnection, "send", _send),
        Patch(client.HTTPConnection, "getresponse", _getresponse),
        Patch(client.HTTPResponse, "__init__", _response_init),
    ),
    errors=(
        "http.client",
        socket.gaierror,
        socket.herror,
        ssl.SSLError,
        ssl.SSLCertVerificationError,
        ssl.SSLEOFError,
        ssl.SSLZeroReturnError,
    ),
)
