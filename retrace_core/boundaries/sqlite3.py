"""sqlite3: connect, execute, fetch, transactions, with the driver's own cursors outside a scope.

Hook: `sqlite3.connect` (also as `sqlite3.dbapi2.connect`, which SQLAlchemy uses) hands out
connections of a subclass. Their cursors are plain C cursors while no scope is open; a cursor
that was made then and is used inside a scope is not recorded. On replay a connection is a
private memory database: what runs outside a lane (start-up, pings) runs on it for real, what
runs inside a lane is answered from the recording. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import sqlite3
import sqlite3.dbapi2
from typing import TYPE_CHECKING, Any, Literal

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_EXECUTE, _MANY, _SCRIPT = "sqlite3.execute", "sqlite3.executemany", "sqlite3.executescript"
_ROWS = "sqlite3.fetch"

_BaseCursor = sqlite3.Cursor
_BaseConnection = sqlite3.Connection


class Cursor(sqlite3.Cursor):
    """A cursor used inside a scope: what it does is recorded, or answered from a recording."""

    _answer: tuple[Any, Any, Any] | None = None
    """(description, rowcount, lastrowid) of a replayed statement."""
    _connection: Any = None

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        super().__init__(connection if isinstance(connection, _BaseConnection) else connection.real)

    @property
    def description(self) -> Any:
        """What the statement's columns are called."""
        answer = self._answer
        return answer[0] if answer is not None else _DESCRIPTION(self)

    @property
    def rowcount(self) -> Any:
        """How many rows were changed."""
        answer = self._answer
        return answer[1] if answer is not None else _ROWCOUNT(self)

    @property
    def lastrowid(self) -> Any:
        """The row id of the last insert."""
        answer = self._answer
        return answer[2] if answer is not None else _LASTROWID(self)

    def _run(self, kind: str, sql: str, args: tuple[Any, ...]) -> Cursor:
        lane = current()
        method = _METHODS[kind]
        if lane is None:
            self._answer = None
            method(self, sql, *args)
            return self
        if kind == _MANY and args:
            # An iterator of the application's is used up here; the rows are the key.
            args = ([row for row in args[0]],)
        key = (sql, args[0]) if args else sql
        if lane.mode == REPLAY:
            self._replayed(call(lane, kind, key, _nothing))
        else:
            call(lane, kind, key, functools.partial(method, self, sql, *args), self._outcome)
        return self

    def _outcome(self, _: Any) -> tuple[Any, ...]:
        description = _DESCRIPTION(self)
        names = None if description is None else [column[0] for column in description]
        connection = self._connection
        return (
            names,
            _ROWCOUNT(self),
            _LASTROWID(self),
            _IN_TRANSACTION(connection),
            _TOTAL_CHANGES(connection),
        )

    def _replayed(self, outcome: Any) -> None:
        names, rowcount, lastrowid, in_transaction, total_changes = outcome
        description = names and tuple((name, *(None,) * 6) for name in names)
        self._answer = (description, rowcount, lastrowid)
        connection = self._connection
        connection._state = (in_transaction, total_changes)
        if names:
            # sqlite3.Row looks at the cursor's own columns: give it some of these names.
            columns = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in names)
            scratch = _BaseCursor.execute(self, f"SELECT {columns}")
            factory, self.row_factory = self.row_factory, None
            _BaseCursor.fetchall(scratch)
            self.row_factory = factory

    def execute(self, sql: str, *args: Any) -> Cursor:
        """Run one statement."""
        return self._run(_EXECUTE, sql, args)

    def executemany(self, sql: str, *args: Any) -> Cursor:
        """Run one statement for each row of parameters."""
        return self._run(_MANY, sql, args)

    def executescript(self, sql: str) -> Cursor:
        """Run several statements."""
        return self._run(_SCRIPT, sql, ())

    def _fetch(self, live: Callable[[], list[Any]]) -> list[Any]:
        """Return rows as the application's row factory makes them, recorded as tuples."""
        lane = current()
        factory = self.row_factory
        if lane is None or (lane.mode != REPLAY and self._answer is not None):
            return live() if self._answer is None else []
        if lane.mode == REPLAY:
            rows: list[Any] = call(lane, _ROWS, None, list)
        elif factory is None:
            return call(lane, _ROWS, None, live)
        else:
            self.row_factory = None
            try:
                rows = call(lane, _ROWS, None, live)
            finally:
                self.row_factory = factory
        return rows if factory is None else [factory(self, row) for row in rows]

    def _one(self) -> list[Any]:
        row = _BaseCursor.fetchone(self)
        return [] if row is None else [row]

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        rows = self._fetch(self._one)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows."""
        wanted = self.arraysize if size is None else size
        return self._fetch(functools.partial(_BaseCursor.fetchmany, self, wanted))

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""
        return self._fetch(functools.partial(_BaseCursor.fetchall, self))

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        rows = self._fetch(self._one)
        if not rows:
            raise StopIteration
        return rows[0]


_DESCRIPTION: Any = _BaseCursor.__dict__["description"].__get__
_ROWCOUNT: Any = _BaseCursor.__dict__["rowcount"].__get__
_LASTROWID: Any = _BaseCursor.__dict__["lastrowid"].__get__
_IN_TRANSACTION: Any = _BaseConnection.__dict__["in_transaction"].__get__
_TOTAL_CHANGES: Any = _BaseConnection.__dict__["total_changes"].__get__
_METHODS: dict[str, Any] = {
    _EXECUTE: _BaseCursor.execute,
    _MANY: _BaseCursor.executemany,
    _SCRIPT: _BaseCursor.executescript,
}


def _nothing(*_: object) -> Any:
    return None


class RecordedConnection:
    """Mixed into connection classes: statements run inside a scope are events."""

    _state: tuple[Any, Any] | None = None
    """(in_transaction, total_changes) of the last replayed statement."""

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor: the driver's own outside a scope."""
        if factory is None and current() is None:
            return super().cursor()  # type: ignore[misc]
        if factory is None:
            return super().cursor(Cursor)  # type: ignore[misc]
        return super().cursor(_cursor_class(factory) if current() is not None else factory)  # type: ignore[misc]

    def execute(self, *args: Any) -> Any:
        """Make a cursor and run one statement on it."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:
        """Make a cursor and run one statement for each row of parameters on it."""
        return self.cursor().executemany(*args)

    def executescript(self, *args: Any) -> Any:
        """Make a cursor and run several statements on it."""
        return self.cursor().executescript(*args)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._shown(0, _IN_TRANSACTION)  # type: ignore[no-any-return]

    @property
    def total_changes(self) -> int:
        """How many rows were changed since the connection was made."""
        return self._shown(1, _TOTAL_CHANGES)  # type: ignore[no-any-return]

    def _shown(self, place: int, live: Any) -> Any:
        state = self._state
        lane = current()
        if state is not None and lane is not None and lane.mode == REPLAY:
            return state[place]
        return live(self)

    def _transact(self, kind: str, live: Callable[[], Any]) -> Any:
        lane = current()
        if lane is None:
            return live()
        if lane.mode == REPLAY:
            self._state = call(lane, kind, None, _nothing)
            return None
        return call(lane, kind, None, live, self._transacted)

    def _transacted(self, _: Any) -> tuple[Any, Any]:
        return (_IN_TRANSACTION(self), _TOTAL_CHANGES(self))

    def commit(self) -> None:
        """Commit the transaction."""
        self._transact("sqlite3.commit", super().commit)  # type: ignore[misc]

    def rollback(self) -> None:
        """Roll the transaction back."""
        self._transact("sqlite3.rollback", super().rollback)  # type: ignore[misc]

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        if kind is None:
            self.commit()
        else:
            self.rollback()
        return False

    def backup(self, *args: Any, **kwargs: Any) -> None:
        """Copy the database; refused on replay."""
        _refuse("sqlite3.backup")
        super().backup(*args, **kwargs)  # type: ignore[misc]

    def iterdump(self, *args: Any, **kwargs: Any) -> Iterable[str]:
        """Yield the database as SQL; refused on replay."""
        _refuse("sqlite3.iterdump")
        return super().iterdump(*args, **kwargs)  # type: ignore[misc, no-any-return]

    def blobopen(self, *args: Any, **kwargs: Any) -> Any:
        """Open a blob; refused on replay."""
        _refuse("sqlite3.blobopen")
        return super().blobopen(*args, **kwargs)  # type: ignore[misc]


def _refuse(operation: str) -> None:
    lane = current()
    if lane is not None and lane.mode == REPLAY:
        raise LiveCallRefused(operation, "a database that is not there")


@functools.cache
def _connection_class(base: type[sqlite3.Connection]) -> type[sqlite3.Connection]:
    """Return a subclass of the application's connection class that records."""
    return type(base.__name__, (RecordedConnection, base), {"__module__": base.__module__})


@functools.cache
def _cursor_class(base: type[sqlite3.Cursor]) -> type[sqlite3.Cursor]:
    if base is _BaseCursor:
        return Cursor
    return type(base.__name__, (Cursor, base), {"__module__": base.__module__})


def _hooked_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def connecting(database: Any, *args: Any, **kwargs: Any) -> Any:
        # connect(database, timeout, detect_types, isolation_level, check_same_thread, factory)
        if len(args) >= 5:
            args = (*args[:4], _connection_class(args[4]), *args[5:])
        else:
            kwargs["factory"] = _connection_class(kwargs.get("factory", _BaseConnection))
        lane = current()
        if lane is not None and lane.mode != REPLAY:
            return attempt(
                lane, "sqlite3.connect", str(database), lambda: connect(database, *args, **kwargs)
            )
        if not in_replay():
            return connect(database, *args, **kwargs)
        kwargs.pop("uri", None)
        stub = functools.partial(connect, ":memory:", *args, **kwargs)
        if lane is None:
            return stub()
        return attempt(lane, "sqlite3.connect", str(database), stub, stub)

    return connecting


BOUNDARY = Boundary(
    kind="sqlite3",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(sqlite3, "connect", _hooked_connect),
        Patch(sqlite3.dbapi2, "connect", _hooked_connect),
    ),
    errors=("sqlite3",),
)
