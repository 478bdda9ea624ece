"""psycopg2: what the server answered, as it came, below typecasters and cursor classes.

Hook: `psycopg2._connect`, the one way to a connection, hands out connections of a subclass, and
these hand out cursors of a subclass. Each statement is an event whose outcome is the raw result.
On replay the real libpq reads it from a `Backend`, so that typecasters, cursors of any class and
errors are psycopg2's own. Read in psycopg2 2.9.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any, cast

import psycopg2
from psycopg2 import extensions

from retrace_core import errors
from retrace_core.boundaries._postgresql import (
    COMMAND_OK,
    COPY_IN,
    COPY_OUT,
    FATAL_ERROR,
    IDLE,
    UNKNOWN,
    Backend,
    Result,
    asked_sql,
    followed,
    message,
    neutral,
    sent,
    stub_params,
)
from retrace_core.boundaries._psycopg2_results import error_fields, result_of, session_of
from retrace_core.boundary import (
    Boundary,
    Patch,
    attempt,
    in_replay,
    mask,
    on_boot_tape,
    record_error,
    spoil,
)
from retrace_core.errors import LiveCallRefused
from retrace_core.native import RECORD, REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core import native
    from retrace_core.lanes import Lane

_BaseConnection: Any = extensions.connection
_BaseCursor: Any = extensions.cursor
_NOT_ON_TAPE: Any = getattr(errors, "NotOnTape", ())
_settings: dict[str, Any] = {}
"""The settings of each database, as replay learned them."""


class _Answers(Backend):
    """A backend that is told what the next statement is to be answered with."""

    def __init__(self, *session: Any) -> None:
        self._next: tuple[Result, int, bytes] | None = None
        self._opening = False
        super().__init__(*session, on_query=self._answer)

    def expect(self, result: Result, state: int, data: bytes = b"", *, opening: bool) -> None:
        """Set the answer to the next statement, and to those of the same call after it.

        Args:
            result: the recorded result.
            state: the transaction's state after it.
            data: what COPY reads.
            opening: True when the statement itself is a BEGIN.
        """
        self._next, self._opening = (result, state, data), opening

    def done(self) -> None:
        """Forget what was expected."""
        self._next = None

    def _answer(self, text: bytes) -> bytes:
        expected = self._next
        if expected is None or (text[:5].upper() == b"BEGIN" and not self._opening):
            if text in (b"c", b"f"):
                text = b"COPY"
            result, state = neutral(text, self)
            return sent(result) + self.settle(state)
        result, state, data = expected
        if text == b"f" and result.status != FATAL_ERROR:
            return sent(result) + self.settle(state)
        if result.status == COPY_IN:  # the rows come next; what they led to comes after
            self._next = (Result(COMMAND_OK, tag=result.tag), state, b"")
            return sent(result._replace(columns=((b"", 0, 0, 0, 0, 0, 0),)))
        if result.status == COPY_OUT:
            ending = sent(Result(COMMAND_OK, tag=result.tag)) + self.settle(state)
            head = sent(result._replace(columns=((b"", 0, 0, 0, 0, 0, 0),)))
            return head + (message(b"d", data) if data else b"") + message(b"c") + ending
        # Each further statement of `executemany` changed nothing more: its counts are summed up.
        if result.status == COMMAND_OK:
            words = result.tag.split(b" ")
            again = b" ".join([*words[:-1], b"0"]) if words[-1].isdigit() else result.tag
            self._next = (Result(COMMAND_OK, tag=again), state, b"")
        return sent(result) + self.settle(state)


# -- the switch


def _crossing(
    connection: Any,
    kind: str,
    key: Callable[[], object],
    live: Callable[[], Any],
    outcome: Callable[[], list[Any]],
    data: Callable[[], bytes] = bytes,
) -> Any:
    """Run one call that asks the server, recorded; or on what was recorded.

    Args:
        connection: the connection that it goes over.
        kind: the event's kind.
        key: gives what is asked; called before the call, only inside a scope.
        live: psycopg2's own method; on replay it talks to the backend.
        outcome: gives the result after the call, as the fields of a `Result`.
        data: gives what COPY has read.
    """
    lane = current()
    backend: _Answers | None = connection._retrace_backend
    if lane is None or lane.mode not in (RECORD, REPLAY):
        return live()
    if backend is not None and lane.mode == REPLAY:
        return _answered(connection, cast("Lane", lane), backend, kind, key(), live)
    if lane.mode == REPLAY:
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")
    return _recorded(connection, lane, kind, key(), live, outcome, data)


def _recorded(
    connection: Any,
    lane: native.Lane,
    kind: str,
    key: object,
    live: Callable[[], Any],
    outcome: Callable[[], list[Any]],
    data: Callable[[], bytes],
) -> Any:
    before = connection.closed or connection.get_transaction_status()
    start_ns = now_ns()
    try:
        with mask():
            returned = live()
    except psycopg2.Error as error:
        if error.pgcode is None:
            record_error(lane, kind, key, error, start_ns)
        else:
            _note(connection, lane, kind, key, lambda: error_fields(error), b"", before, start_ns)
        raise
    except BaseException as error:
        record_error(lane, kind, key, error, start_ns)
        raise
    _note(connection, lane, kind, key, outcome, data(), before, start_ns)
    return returned


def _note(
    connection: Any,
    lane: native.Lane,
    kind: str,
    key: object,
    outcome: Callable[[], list[Any]],
    data: bytes,
    before: int,
    start_ns: int,
) -> None:
    try:
        news, status = None, UNKNOWN
        if not connection.closed:
            status = connection.get_transaction_status()
            session = session_of(connection)
            if before == IDLE or connection._retrace_shown != (lane.state, session):
                connection._retrace_shown = (lane.state, session)
                news = session
        lane.record(kind, key, RETURNED, [outcome(), status, news, data], start_ns)
    except Exception as fault:  # noqa: BLE001  # whatever it is, the request goes on
        spoil(lane, kind, fault)


def _answered(
    connection: Any,
    lane: Lane,
    backend: _Answers,
    kind: str,
    key: Any,
    live: Callable[[], Any],
) -> Any:
    try:
        kept, status, session, data = lane.scope.answer(lane, kind, key)
    except _NOT_ON_TAPE:
        with mask():
            return live()
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        _lose(backend, live)
        raise
    if session is not None:
        _settings[connection.info.dbname] = session
        backend.push(backend.settings(session))
    result = Result(*kept)
    state = status if status != UNKNOWN else followed(backend.state, result)
    opening = isinstance(key, list) and str(key[-1])[:5].upper() == "BEGIN"
    backend.expect(result, state, data, opening=opening)
    try:
        with mask():
            return live()
    finally:
        backend.done()
        if status == UNKNOWN:
            backend.close()


def _lose(backend: _Answers, live: Callable[[], Any]) -> None:
    """Have psycopg2 find out that the server is gone, as it did when it was recorded."""
    backend.close()
    try:
        with mask():
            live()
    except psycopg2.Error:
        return


# -- cursors


class RecordedCursor(extensions.cursor):
    """A cursor whose work inside a scope is recorded, or answered from a recording."""

    def _cross(self, kind: str, key: Callable[[], object], live: Callable[[], Any]) -> Any:
        outcome = functools.partial(result_of, self)
        return _crossing(self.connection, f"psycopg2.{kind}", key, live, outcome)

    def _asked(self, sql: Any, args: Any) -> object:
        text = _BaseCursor.mogrify(self, sql, args)
        return [self.connection.info.dbname, asked_sql(text)]

    def execute(self, query: Any, vars: Any = None) -> Any:
        """Run one statement, or several."""
        live = functools.partial(super().execute, query, vars)
        return self._cross("execute", lambda: self._asked(query, vars), live)

    def executemany(self, query: Any, vars_list: Any) -> Any:
        """Run one statement for each item of parameters."""
        if current() is not None and not isinstance(vars_list, (list, tuple)):
            vars_list = list(vars_list)

        def key() -> object:
            return [self.connection.info.dbname, [self._asked(query, v)[1] for v in vars_list]]  # type: ignore[index]

        def outcome() -> list[Any]:
            status, columns, rows, tag, error = result_of(self)
            words = tag.split(b" ")
            if status == COMMAND_OK and words[-1].isdigit():
                tag = b" ".join([*words[:-1], str(max(self.rowcount, 0)).encode()])
            return [status, columns, rows, tag, error]

        live = functools.partial(super().executemany, query, vars_list)
        return _crossing(self.connection, "psycopg2.executemany", key, live, outcome)

    def callproc(self, procname: Any, parameters: Any = None) -> Any:
        """Call a function of the database."""
        args = () if parameters is None else (parameters,)
        live = functools.partial(super().callproc, procname, *args)
        return self._cross("callproc", lambda: [self.connection.info.dbname, procname, *args], live)

    # A cursor with a name asks the server for its rows; any other has them already.

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        live = super().fetchone
        return live() if self.name is None else self._cross("fetch", lambda: 1, live)

    def fetchmany(self, size: Any = None) -> Any:
        """Return the next rows."""
        wanted = self.arraysize if size is None else size
        live = functools.partial(super().fetchmany, wanted)
        return live() if self.name is None else self._cross("fetch", lambda: wanted, live)

    def fetchall(self) -> Any:
        """Return all remaining rows."""
        live = super().fetchall
        return live() if self.name is None else self._cross("fetch", lambda: None, live)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        live = super().__next__
        if self.name is None or self.rownumber < self.rowcount:
            return live()
        ended = object()
        row = self._cross("fetch", lambda: self.itersize, lambda: next(_Once(live), ended))
        if row is ended:
            raise StopIteration
        return row

    def scroll(self, value: int, mode: str = "relative") -> Any:
        """Move to another row."""
        live = functools.partial(super().scroll, value, mode)
        return live() if self.name is None else self._cross("scroll", lambda: [value, mode], live)

    def close(self) -> Any:
        """Close the cursor."""
        live = super().close
        if self.name is None or self.closed or self.connection.closed:
            return live()
        return self._cross("close", lambda: None, live)

    # COPY

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> Any:
        """Run a COPY statement, to or from a file."""
        text = sql.as_string(self) if hasattr(sql, "as_string") else sql
        return self._copy("copy_expert", text, super().copy_expert, (sql,), file, size)

    def copy_from(self, file: Any, table: Any, *args: Any, **kwargs: Any) -> Any:
        """Read a table's rows from a file."""
        live = functools.partial(super().copy_from, file, table, *args, **kwargs)
        outcome = functools.partial(self._copied, COPY_IN)
        key = [self.connection.info.dbname, table, *args, kwargs]
        return _crossing(self.connection, "psycopg2.copy_from", lambda: key, live, outcome)

    def copy_to(self, file: Any, table: Any, *args: Any, **kwargs: Any) -> Any:
        """Write a table's rows into a file."""
        tee = _Tee(file)
        shown = _shown(tee, file)
        live = functools.partial(super().copy_to, shown, table, *args, **kwargs)
        outcome = functools.partial(self._copied, COPY_OUT)
        key = [self.connection.info.dbname, table, *args, kwargs]
        return _crossing(
            self.connection, "psycopg2.copy_to", lambda: key, live, outcome, tee.taken
        )

    def _copy(self, kind: str, text: Any, method: Any, before: Any, file: Any, size: int) -> Any:
        tee = _Tee(file)
        live = functools.partial(method, *before, _shown(tee, file), size)

        def outcome() -> list[Any]:
            return self._copied(COPY_OUT if tee.written else COPY_IN)

        asked = text.encode() if isinstance(text, str) else bytes(text)
        key = [self.connection.info.dbname, asked_sql(asked)]
        return _crossing(
            self.connection, f"psycopg2.{kind}", lambda: key, live, outcome, tee.taken
        )

    def _copied(self, status: int) -> list[Any]:
        tag = (self.statusmessage or f"COPY {max(self.rowcount, 0)}").encode()
        return [status, [], [], tag, None]


class _Once:
    """An iterator over one call, which may raise StopIteration."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __iter__(self) -> _Once:
        return self

    def __next__(self) -> Any:
        return self._call()


class _Tee:
    """Keeps what COPY writes into a file of the application's."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._parts: list[bytes] = []
        self.written = False

    def write(self, data: Any) -> Any:
        """Write on, and keep it."""
        self.written = True
        self._parts.append(data.encode() if isinstance(data, str) else bytes(data))
        return self._file.write(data)

    def read(self, *size: Any) -> Any:
        """Read on."""
        return self._file.read(*size)

    def taken(self) -> bytes:
        """Return all that was written."""
        return b"".join(self._parts)


class _TextTee(io.TextIOBase):
    """The same for a text file, which psycopg2 knows by its class."""

    def __init__(self, tee: _Tee) -> None:
        self._tee = tee

    def write(self, data: Any) -> Any:
        """Write on, and keep it."""
        return self._tee.write(data)

    def read(self, *size: Any) -> Any:
        """Read on."""
        return self._tee.read(*size)


def _shown(tee: _Tee, file: Any) -> Any:
    if current() is None:
        return file
    return _TextTee(tee) if isinstance(file, io.TextIOBase) else tee


# -- connections


class RecordedConnection(extensions.connection):
    """A connection on which statements run inside a scope are events."""

    _retrace_backend: Any = None
    _retrace_shown: Any = None

    def cursor(
        self, name: Any = None, cursor_factory: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Return a cursor, of a subclass of the class that is asked for."""
        factory = cursor_factory or self.cursor_factory or _BaseCursor
        return super().cursor(name, _cursor_class(factory), *args, **kwargs)

    def _cross(self, kind: str, live: Callable[[], Any], key: object = None) -> Any:
        def outcome() -> list[Any]:
            return [COMMAND_OK, [], [], _TAGS.get(kind, kind.upper()).encode(), None]

        return _crossing(self, f"psycopg2.{kind}", lambda: key, live, outcome)

    def commit(self) -> Any:
        """Commit the transaction."""
        return self._cross("commit", super().commit)

    def rollback(self) -> Any:
        """Roll the transaction back."""
        return self._cross("rollback", super().rollback)

    def reset(self) -> Any:
        """Put the session back to its defaults."""
        return self._cross("reset", super().reset)

    def set_isolation_level(self, level: Any) -> Any:
        """Set the isolation level; it ends a transaction."""
        live = functools.partial(super().set_isolation_level, level)
        return self._cross("set_isolation_level", live, level)

    def set_client_encoding(self, encoding: str) -> Any:
        """Set the encoding of text."""
        live = functools.partial(super().set_client_encoding, encoding)
        return self._cross("set_client_encoding", live, encoding)

    def cancel(self) -> Any:
        """Cancel the statement that runs: no event, what it leads to is one."""
        if self._retrace_backend is None:
            super().cancel()

    def poll(self) -> Any:
        """Look for notifications, or go on with an asynchronous statement: not recorded."""
        lane = current()
        if lane is not None and lane.mode == REPLAY:
            raise LiveCallRefused("psycopg2.poll", "a server's notifications")
        if lane is not None and lane.mode == RECORD:
            lane.state.tainted = True
            lane.record("psycopg2.poll", None, RETURNED, None, now_ns())
        return super().poll()

    def lobject(self, *args: Any, **kwargs: Any) -> Any:
        """Return a large object: not recorded."""
        lane = current()
        if lane is not None and lane.mode == REPLAY:
            raise LiveCallRefused("psycopg2.lobject", "a server's large objects")
        if lane is not None and lane.mode == RECORD:
            lane.state.tainted = True
            lane.record("psycopg2.lobject", None, RETURNED, None, now_ns())
        return super().lobject(*args, **kwargs)


_TAGS = {"reset": "RESET", "set_client_encoding": "SET", "set_isolation_level": "ROLLBACK"}


def _tpc(name: str) -> Callable[..., Any]:
    own: Any = getattr(_BaseConnection, name)

    @functools.wraps(own)
    def method(self: Any, *args: Any) -> Any:
        return self._cross(name, functools.partial(own, self, *args), [str(arg) for arg in args])

    return method


for _name in ("tpc_begin", "tpc_prepare", "tpc_commit", "tpc_rollback"):
    setattr(RecordedConnection, _name, _tpc(_name))


# Ours go below the application's classes in the order of resolution, and above the driver's:
# the application's own methods run as they are written, also on replay.


@functools.cache
def _connection_class(base: Any) -> Any:
    """Return a subclass of the application's connection class that records."""
    if base is _BaseConnection:
        return _Connection
    if not isinstance(base, type) or issubclass(base, RecordedConnection):
        return base  # a function that makes a connection
    return type(base.__name__, (base, RecordedConnection), {"__module__": base.__module__})


@functools.cache
def _cursor_class(base: Any) -> Any:
    """Return a subclass of the application's cursor class that records."""
    if base is _BaseCursor:
        return _Cursor
    if not isinstance(base, type) or issubclass(base, RecordedCursor):
        return base
    return type(base.__name__, (base, RecordedCursor), {"__module__": base.__module__})


_MODULE = {"__module__": "psycopg2.extensions"}
_Connection = type("connection", (RecordedConnection,), _MODULE)
_Cursor = type("cursor", (RecordedCursor,), _MODULE)


def _hooked_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def connecting(dsn: Any, connection_factory: Any = None, **kwargs: Any) -> Any:
        factory = _connection_class(connection_factory or _BaseConnection)
        lane = current()

        def live() -> Any:
            with on_boot_tape():
                return connect(dsn, connection_factory=factory, **kwargs)

        def stub() -> Any:
            asked = extensions.parse_dsn(dsn)
            name = asked.get("dbname") or asked.get("user") or "postgres"
            backend = _Answers(_settings[name]) if name in _settings else _Answers()
            there = extensions.make_dsn(**stub_params(asked, backend.port))
            with mask():
                made = connect(there, connection_factory=factory, **kwargs)
            made._retrace_backend = backend
            return made

        if lane is None:
            return stub() if in_replay() else connect(dsn, connection_factory=factory, **kwargs)
        asked = extensions.parse_dsn(dsn)
        key = [asked.get(name) or "" for name in ("host", "port", "dbname")]
        return attempt(lane, "psycopg2.connect", key, live, stub)

    return connecting


BOUNDARY = Boundary(
    kind="psycopg2",
    supports="psycopg2>=2.9",
    hooks=(Patch(psycopg2, "_connect", _hooked_connect),),
    errors=("psycopg2", "psycopg2.errors", "psycopg2.extensions"),
)
