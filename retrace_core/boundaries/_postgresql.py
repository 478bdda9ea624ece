"""PostgreSQL's side of a connection during replay: hands recorded results to the real libpq.

Drivers build their objects (rows by loaders and typecasters, errors with their diagnostics,
the transaction's state) from what libpq parsed. On replay libpq therefore is connected to a
`Backend` here, over loopback and inside this process, which sends what was recorded as the
messages of the protocol; everything above libpq is the library's own code, at work as it was.

Source: PostgreSQL 15 documentation, chapters 55.2 and 55.7 (protocol 3.0).
"""

from __future__ import annotations

import itertools
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from retrace_core.lanes import mask

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CANCELED",
    "NEUTRAL",
    "SESSION",
    "Backend",
    "Result",
    "asked_sql",
    "followed",
    "message",
    "neutral",
    "sent",
    "stub_params",
]

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
_DEFAULTS = ("UTF8", "ISO, MDY", "postgres", "UTC", "15.0", "UTF8", "on", "on")
_FIXED = {"is_superuser": "off", "in_hot_standby": "off", "default_transaction_read_only": "off"}

# ExecStatus of libpq
EMPTY_QUERY, COMMAND_OK, TUPLES_OK, COPY_OUT, COPY_IN = 0, 1, 2, 3, 4
FATAL_ERROR, SINGLE_TUPLE, PIPELINE_SYNC, PIPELINE_ABORTED, TUPLES_CHUNK = 7, 9, 10, 11, 12
# PGTransactionStatusType of libpq
IDLE, ACTIVE, INTRANS, INERROR, UNKNOWN = 0, 1, 2, 3, 4
_STATE = {IDLE: b"I", INTRANS: b"T", INERROR: b"E"}

NEUTRAL: Any = object()
"""The answer to a statement that nothing was recorded of, because it is no request's."""

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_CONNECT_WITHIN_S = 30.0


class Result(NamedTuple):
    """One result as libpq has it; recorded as a list of these fields."""

    status: int
    columns: Any = ()
    """(name, table, its column, type, size, modifier, format) of each."""
    rows: Any = ()
    """Cells as the server sent them, None for NULL."""
    tag: bytes = b""
    error: Any = None
    """Field code -> text, for an error."""


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return one message of the protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def described(columns: Any) -> bytes:
    """Return the message that describes a result's columns."""
    parts = [struct.pack("!H", len(columns))]
    for name, table, place, oid, size, modifier, form in columns:
        parts += (name, b"\0", struct.pack("!IhIhih", table, place, oid, size, modifier, form))
    return message(b"T", b"".join(parts))


def row(cells: Any) -> bytes:
    """Return the message that holds one row."""
    parts = [struct.pack("!H", len(cells))]
    for cell in cells:
        if cell is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts += (struct.pack("!I", len(cell)), cell)
    return message(b"D", b"".join(parts))


def sent(result: Result, *, first: bool = True) -> bytes:
    """Return the messages by which libpq makes this result; see `ready` for what ends them.

    Args:
        result: what was recorded.
        first: False for a further part of a result that is read row by row.
    """
    status, columns, rows, tag, error = result
    if status == FATAL_ERROR:
        fields = b"".join(bytes((int(code),)) + text + b"\0" for code, text in error.items())
        return message(b"E", fields + b"\0")
    if status in (COPY_IN, COPY_OUT):
        formats = [column[6] for column in columns]
        layout = struct.pack(f"!bH{len(formats)}h", int(any(formats)), len(formats), *formats)
        return message(b"G" if status == COPY_IN else b"H", layout)
    if status == EMPTY_QUERY:
        return message(b"I")
    if status == PIPELINE_ABORTED:
        return b""  # libpq makes these by itself after an error
    if status == COMMAND_OK and columns:
        return described(columns)  # of a portal that was described
    parts = [described(columns)] if status != COMMAND_OK and first else []
    parts += map(row, rows)
    if status in (COMMAND_OK, TUPLES_OK):
        parts.append(message(b"C", tag + b"\0"))
    return b"".join(parts)


CANCELED = Result(
    FATAL_ERROR,
    error={
        ord("S"): b"ERROR",
        ord("V"): b"ERROR",
        ord("C"): b"57014",
        ord("M"): b"canceling statement due to user request",
    },
)


def followed(state: int, result: Result) -> int:
    """Return the transaction's state after a statement had this result."""
    if result.status == FATAL_ERROR:
        return INERROR if state in (INTRANS, INERROR) else IDLE
    if result.status == COMMAND_OK:
        return _TAGS.get(result.tag.split(b" ", 1)[0].decode(), state)
    return state


class Backend:
    """The server's end of one connection.

    Args:
        session: values of the settings in `SESSION`.
        on_query: gets the text of each simple query; returns what to send. Default: nothing
            is sent but by `push`.
    """

    _pids = itertools.count(1)

    def __init__(
        self, session: Any = _DEFAULTS, on_query: Callable[[bytes], bytes] | None = None
    ) -> None:
        self.session = tuple(session)
        self.state = IDLE
        self._on_query = on_query
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(1)
        self._listener.settimeout(_CONNECT_WITHIN_S)
        self.port: int = self._listener.getsockname()[1]
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
        letter = _STATE.get(state) if state is not None else None
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
        return b"".join(_setting(name, value) for name, value in changed)

    def close(self) -> None:
        """End the connection, as a server that goes away does."""
        for end in (self._client, self._listener):
            if end is not None:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    # -- the thread

    def _serve(self) -> None:
        try:
            with self._listener:
                self._client, _ = self._listener.accept()
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
                + b"".join(_setting(name, value) for name, value in known.items())
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


def _setting(name: str, value: str | None) -> bytes:
    return message(b"S", b"%s\0%s\0" % (name.encode(), (value or "").encode()))


def _startup(rest: bytes) -> dict[str, str]:
    parts = [part.decode(errors="replace") for part in rest.split(b"\0")]
    return dict(zip(parts[::2], parts[1::2], strict=False))


# -- what is asked, and what is answered where nothing was recorded

_GENERATED = re.compile(
    r'"?\b(s\d+_x\d+|_django_curs_\d+_\w+|c_[0-9a-f]+_[0-9a-f]+)\b"?', re.ASCII
)
_NAMING = ("DESCRIBE", "SAVEPOINT", "RELEASE", "ROLLBACK", "DECLARE", "FETCH", "CLOSE", "MOVE", "SELECT 1 FROM")


def asked_sql(sql: bytes) -> str:
    """Return a statement as part of a key: as it is, but names made of ids are left out.

    Django names savepoints after the thread, SQLAlchemy names cursors after addresses.
    """
    text = sql.decode("utf-8", "backslashreplace")
    if text.startswith(_NAMING):
        text = _GENERATED.sub('"generated"', text)
    return text


_TAGS = {"BEGIN": INTRANS, "START": INTRANS, "COMMIT": IDLE, "END": IDLE, "ROLLBACK": IDLE}
_TAGS["ABORT"] = IDLE


def neutral(sql: bytes, backend: Backend) -> tuple[Result, int]:
    """Return (result, state of the transaction) for a statement that nothing was recorded of.

    Such are a pool's pings, and what a driver or an ORM asks of each new connection.
    """
    text = sql.decode("utf-8", "replace").strip().rstrip(";").strip()
    lower = text.lower()
    word = text.split(None, 1)[0].upper() if text else ""
    if not word:
        return Result(EMPTY_QUERY), backend.state
    if word in _TAGS and not lower.startswith(("rollback to", "rollback prepared")):
        return Result(COMMAND_OK, tag=b"ROLLBACK" if word == "ABORT" else word.encode()), _TAGS[word]
    if word in ("SELECT", "SHOW", "FETCH", "WITH", "VALUES"):
        value = _well_known(lower, backend)
        if value is None:
            return Result(TUPLES_OK, tag=b"SELECT 0"), backend.state
        column = (b"?column?", 0, 0, 25, -1, -1, 0)
        return Result(TUPLES_OK, [column], [[value.encode()]], b"SELECT 1"), backend.state
    return Result(COMMAND_OK, tag=word.encode()), backend.state


def _well_known(lower: str, backend: Backend) -> str | None:
    settings = {name.lower(): value for name, value in zip(SESSION, backend.session, strict=True)}
    if lower.startswith("show "):
        name = lower[5:].strip()
        shown = {"transaction isolation level": "read committed", **settings}
        shown["transaction_isolation"] = shown["default_transaction_isolation"] = "read committed"
        return shown.get(name, "")
    if lower.startswith("select") and "version()" in lower:
        return f"PostgreSQL {settings['server_version']} on a recording"
    if lower.startswith("select") and "current_schema()" in lower:
        return "public"
    return "1" if lower == "select 1" else None


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
