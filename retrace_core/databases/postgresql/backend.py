"""Backend: PostgreSQL's side of a connection during replay, which hands results to the real libpq.

Drivers build their objects (rows by loaders and typecasters, errors with their diagnostics,
the transaction's state) from what libpq parsed. On replay libpq therefore is connected to a
`Backend`, over loopback and inside this process, which sends what was recorded as the messages
of the protocol; everything above libpq is the library's own code, at work as it was.
"""

from __future__ import annotations

import itertools
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.databases.postgresql.protocol import IDLE, STATE, message, setting
from retrace_core.lanes import mask
from retrace_core.sockets.local_listener import LocalListener

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEFAULTS", "SESSION", "Backend", "stub_params"]

SESSION = (
    "client_encoding",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "server_version",
    "server_encoding",
    "standard_conforming_strings",
    "integer_datetimes",
)
"""The settings that the server reports and drivers read."""
DEFAULTS = ("UTF8", "ISO, MDY", "postgres", "UTC", "15.0", "UTF8", "on", "on")
_FIXED = {"is_superuser": "off", "in_hot_standby": "off", "default_transaction_read_only": "off"}
_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_CONNECT_WITHIN_S = 30.0


class Backend:
    """The server's end of one connection.

    Args:
        session: values of the settings in `SESSION`.
        on_query: gets the text of each simple query; returns what to send. Default: nothing
            is sent but by `push`.
    """

    _pids = itertools.count(1)

    def __init__(
        self, session: Any = DEFAULTS, on_query: Callable[[bytes], bytes] | None = None
    ) -> None:
        self.session = tuple(session)
        self.state = IDLE
        self._on_query = on_query
        self._listener = LocalListener(_CONNECT_WITHIN_S)
        self.port = self._listener.port
        self._client: socket.socket | None = None
        with mask():
            threading.Thread(target=self._serve, name="retrace-postgresql", daemon=True).start()

    def push(self, data: bytes) -> None:
        """Send messages to the client."""
        if self._client is not None and data:
            try:
                self._client.sendall(data)
            except OSError:
                return  # the application closed its end

    def settle(self, state: int | None) -> bytes:
        """Return what ends an exchange, and take over the transaction's state.

        Nothing ends it where there is no state, or one that says that it goes on.
        """
        letter = STATE.get(state) if state is not None else None
        if state is None or letter is None:
            return b""
        self.state = state
        return message(b"Z", letter)

    def settings(self, session: Any) -> bytes:
        """Return the messages that report settings which are not as they were."""
        if session is None or tuple(session) == self.session:
            return b""
        changed = [
            (name, now)
            for name, was, now in zip(SESSION, self.session, session, strict=True)
            if was != now
        ]
        self.session = tuple(session)
        return b"".join(setting(name, value) for name, value in changed)

    def close(self) -> None:
        """End the connection, as a server that goes away does."""
        self._listener.close()
        if self._client is not None:
            try:
                self._client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._client.close()

    # -- the thread

    def _serve(self) -> None:
        try:
            self._client = self._listener.client()
            with self._client as client, client.makefile("rb") as asked:
                client.settimeout(None)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._greet(asked):
                    self._read(asked)
        except (OSError, ValueError, struct.error):
            return  # the client went away

    def _greet(self, asked: Any) -> bool:
        while True:
            size, code = struct.unpack("!II", asked.read(8))
            rest = asked.read(size - 8)
            if code in (_SSL, _GSS):
                self.push(b"N")
                continue
            if code == _CANCEL:
                return False
            user = _startup(rest).get("user", "")
            known = {**dict(zip(SESSION, self.session, strict=True)), **_FIXED}
            known["session_authorization"] = user
            self.push(
                message(b"R", struct.pack("!I", 0))
                + b"".join(setting(name, value) for name, value in known.items())
                + message(b"K", struct.pack("!II", next(self._pids), 0))
                + self.settle(IDLE)
            )
            return True

    def _read(self, asked: Any) -> None:
        while kind := asked.read(1):
            body = asked.read(struct.unpack("!I", asked.read(4))[0] - 4)
            if kind == b"X":
                return
            if self._on_query is not None and kind in (b"Q", b"c", b"f"):
                self.push(self._on_query(body.rstrip(b"\0") if kind == b"Q" else kind))


def _startup(rest: bytes) -> dict[str, str]:
    parts = [part.decode(errors="replace") for part in rest.split(b"\0")]
    return dict(zip(parts[::2], parts[1::2], strict=False))


def stub_params(asked: dict[str, Any], port: int) -> dict[str, Any]:
    """Return the parameters that connect to a backend here as those asked connect to a server."""
    kept = ("dbname", "user", "application_name", "fallback_application_name", "client_encoding")
    params = {name: asked[name] for name in kept if asked.get(name)}
    host = str(asked.get("host") or "").split(",", 1)[0]
    params["host"] = host if host and not host.startswith(("/", "@")) else "localhost"
    params.setdefault("user", "postgres")
    params.setdefault("dbname", params["user"])
    fixed = {"hostaddr": "127.0.0.1", "port": port, "sslmode": "disable", "gssencmode": "disable"}
    return {**params, **fixed}
