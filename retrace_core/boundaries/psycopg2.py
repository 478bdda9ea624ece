"""psycopg2: what the server answered, as it came, below typecasters and cursor classes.

Hook: `psycopg2._connect`, the one way to a connection, hands out connections of a subclass, and
these hand out cursors of a subclass. Each statement is an event whose outcome is the raw result.
On replay the real libpq reads it from a `Backend`, so that typecasters, cursors of any class and
errors are psycopg2's own. Read in psycopg2 2.9.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import extensions

from retrace_core.boundary import (
    Boundary,
    Patch,
    attempt,
    call_free,
    in_replay,
    mask,
    on_boot_tape,
)
from retrace_core.databases.postgresql.backend import stub_params
from retrace_core.databases.postgresql.protocol import COMMAND_OK, COPY_IN, COPY_OUT
from retrace_core.databases.postgresql.psycopg2_copies import Once, Tee, shown
from retrace_core.databases.postgresql.psycopg2_results import result_of
from retrace_core.databases.postgresql.psycopg2_switch import Answers, crossing, settings
from retrace_core.databases.postgresql.statements import asked_sql
from retrace_core.errors import LiveCallRefused
from retrace_core.native import RECORD, REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

_BaseConnection: Any = extensions.connection
_BaseCursor: Any = extensions.cursor
_BACKEND_PID = "free.psycopg2.get_backend_pid"


# -- cursors


class RecordedCursor(extensions.cursor):  # type: ignore[misc]  # it comes without types
    """A cursor whose work inside a scope is recorded, or answered from a recording."""

    def _cross(self, kind: str, key: Callable[[], object], live: Callable[[], Any]) -> Any:
        outcome = functools.partial(result_of, self)
        return crossing(self.connection, f"psycopg2.{kind}", key, live, outcome)

    def _asked(self, sql: Any, args: Any) -> object:
        text = _BaseCursor.mogrify(self, sql, args)
        return [self.connection.info.dbname, asked_sql(text)]

    def execute(self, query: Any, vars: Any = None) -> Any:
        """Run one statement, or several."""
        if current() is None:
            return super().execute(query, vars)
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
        return crossing(self.connection, "psycopg2.executemany", key, live, outcome)

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
        row = self._cross("fetch", lambda: self.itersize, lambda: next(Once(live), ended))
        if row is ended:
            raise StopIteration
        return row

    def scroll(self, value: int, mode: Any = "relative") -> Any:
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
        return crossing(self.connection, "psycopg2.copy_from", lambda: key, live, outcome)

    def copy_to(self, file: Any, table: Any, *args: Any, **kwargs: Any) -> Any:
        """Write a table's rows into a file."""
        tee = Tee(file)
        through = shown(tee, file)
        live = functools.partial(super().copy_to, through, table, *args, **kwargs)
        outcome = functools.partial(self._copied, COPY_OUT)
        key = [self.connection.info.dbname, table, *args, kwargs]
        return crossing(self.connection, "psycopg2.copy_to", lambda: key, live, outcome, tee.taken)

    def _copy(self, kind: str, text: Any, method: Any, before: Any, file: Any, size: int) -> Any:
        tee = Tee(file)
        live = functools.partial(method, *before, shown(tee, file), size)

        def outcome() -> list[Any]:
            return self._copied(COPY_OUT if tee.written else COPY_IN)

        asked = text.encode() if isinstance(text, str) else bytes(text)
        key = [self.connection.info.dbname, asked_sql(asked)]
        return crossing(self.connection, f"psycopg2.{kind}", lambda: key, live, outcome, tee.taken)

    def _copied(self, status: int) -> list[Any]:
        tag = (self.statusmessage or f"COPY {max(self.rowcount, 0)}").encode()
        return [status, [], [], tag, None]


# -- connections


class RecordedConnection(extensions.connection):  # type: ignore[misc]  # as above
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

        return crossing(self, f"psycopg2.{kind}", lambda: key, live, outcome)

    def get_backend_pid(self) -> Any:
        """Return which process of the server serves this connection, as it was recorded."""
        lane = current()
        live = super().get_backend_pid
        return live() if lane is None else call_free(lane, _BACKEND_PID, None, live)

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
            backend = Answers(settings[name]) if name in settings else Answers()
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
    supports="psycopg2-binary>=2.9",
    hooks=(Patch(psycopg2, "_connect", _hooked_connect),),
    errors=("psycopg2", "psycopg2.errors", "psycopg2.extensions"),
)
