"""sqlite3: connect, execute, fetch, transactions, through subclasses of the driver's classes.

Hook: `sqlite3.connect` (also as `sqlite3.dbapi2.connect`, which SQLAlchemy uses) hands out
connections of a subclass, and these hand out cursors of a subclass, also outside a scope: a
cursor may be made at start-up and be used in a request. On replay a connection is a private
memory database: what runs outside a lane (start-up, pings) runs on it for real, what runs
inside a lane is answered from the recording. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import itertools
import sqlite3
import sqlite3.dbapi2
from typing import TYPE_CHECKING, Any, Literal, cast

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay, mask
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EXECUTE, _MANY, _SCRIPT = "sqlite3.execute", "sqlite3.executemany", "sqlite3.executescript"
_ROWS = "sqlite3.fetch"
_NO_ROWCOUNT = -1

_BaseCursor = sqlite3.Cursor
_BaseConnection = sqlite3.Connection


class Cursor(sqlite3.Cursor):
    """A cursor whose work inside a scope is recorded, or answered from a recording."""

    _answer: tuple[Any, Any, Any] | None = None
    """(description, rowcount, lastrowid) of a replayed statement."""
    _owner: Any = None
    """The application's connection, once replay has put the cursor on a scratch one."""

    def _run(self, lane: Any, kind: str, live: Callable[..., Any], *args: Any) -> Cursor:
        failed: Exception | None = None
        if kind == _MANY and len(args) == 2:
            # An iterator of the application's is used up here; the rows are the key.
            rows, failed = _used_up(args[1])
            args = (args[0], rows if failed is None else itertools.chain(rows, _raising(failed)))
            key: object = (args[0], rows)
        else:
            key = args if len(args) == 2 else args[0] if args else None
        if lane.mode == REPLAY:
            try:
                self._replayed(call(lane, kind, key, _nothing))
            except Exception:
                if failed is not None:
                    raise failed from None
                raise
        else:
            lane.call(kind, key, self._outcome, live, *args)
        return self

    def _outcome(self, _: Any) -> tuple[Any, ...]:
        description = _DESCRIPTION(self)
        names = None if description is None else [column[0] for column in description]
        return (names, _ROWCOUNT(self), _LASTROWID(self))

    def _replayed(self, outcome: Any) -> None:
        names, rowcount, lastrowid = outcome
        description = names and tuple((name, *(None,) * 6) for name in names)
        self._answer = (description, rowcount, lastrowid)
        if names:
            self._name_columns(names)

    def _name_columns(self, names: list[str]) -> None:
        """Give the C cursor itself columns of these names: `sqlite3.Row` looks at those.

        On a connection of ours: callbacks and limits of the application's are not for this.
        """
        factory, size = self.row_factory, self.arraysize
        if self._owner is None:
            self._owner = _CONNECTION(self)
            _BaseCursor.__init__(self, self._owner._scratch())
        columns = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in names)
        self.row_factory = None
        _BaseCursor.fetchall(_BaseCursor.execute(self, f"SELECT {columns}"))
        self.row_factory, self.arraysize = factory, size

    def execute(self, *args: Any) -> Any:
        """Run one statement."""
        lane = current()
        if lane is None:
            self._answer = None
            return super().execute(*args)
        return self._run(lane, _EXECUTE, super().execute, *args)

    def executemany(self, *args: Any) -> Any:
        """Run one statement for each row of parameters."""
        lane = current()
        if lane is None:
            self._answer = None
            return super().executemany(*args)
        return self._run(lane, _MANY, super().executemany, *args)

    def executescript(self, *args: Any) -> Any:
        """Run several statements."""
        lane = current()
        if lane is None:
            self._answer = None
            return super().executescript(*args)
        return self._run(lane, _SCRIPT, super().executescript, *args)

    def _fetch(self, lane: Any, live: Callable[..., list[Any]], *args: Any) -> list[Any]:
        """Return rows as the application's row factory makes them, recorded as tuples."""
        factory = self.row_factory
        if lane.mode == REPLAY:
            rows = self._fetched(call(lane, _ROWS, None, list))
        elif factory is None:
            return lane.call(_ROWS, None, self._rows, live, *args)  # type: ignore[no-any-return]
        else:
            self.row_factory = None
            try:
                rows = lane.call(_ROWS, None, self._rows, live, *args)
            finally:
                self.row_factory = factory
        return rows if factory is None else [factory(self, row) for row in rows]

    def _rows(self, rows: list[Any]) -> Any:
        # A statement with RETURNING counts its rows as they are fetched.
        rowcount = _ROWCOUNT(self)
        return rows if rowcount == _NO_ROWCOUNT else (rows, rowcount, _LASTROWID(self))

    def _fetched(self, outcome: Any) -> list[Any]:
        if not isinstance(outcome, tuple):
            return list(outcome)
        rows, rowcount, lastrowid = outcome
        description = self._answer[0] if self._answer is not None else None
        self._answer = (description, rowcount, lastrowid)
        return list(rows)

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        lane = current()
        if lane is None:
            return super().fetchone() if self._answer is None else None
        rows = self._fetch(lane, _listed, super().fetchone)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> Any:
        """Return the next rows."""
        wanted = self.arraysize if size is None else size
        lane = current()
        if lane is None:
            return super().fetchmany(wanted) if self._answer is None else []
        return self._fetch(lane, super().fetchmany, wanted)

    def fetchall(self) -> Any:
        """Return all remaining rows."""
        lane = current()
        if lane is None:
            return super().fetchall() if self._answer is None else []
        return self._fetch(lane, super().fetchall)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        lane = current()
        if lane is None:
            if self._answer is not None:
                raise StopIteration
            return super().__next__()
        rows = self._fetch(lane, _listed, super().__next__)
        if not rows:
            raise StopIteration
        return rows[0]


def _listed(one: Callable[[], Any]) -> list[Any]:
    try:
        row = one()
    except StopIteration:
        return []
    return [] if row is None else [row]


def _used_up(rows: Any) -> tuple[list[Any], Exception | None]:
    """Return what an iterable gives, and the error that it ends with."""
    found: list[Any] = []
    try:
        for row in rows:
            found.append(row)  # noqa: PERF402  # what came before an error counts
    except Exception as error:  # noqa: BLE001  # raised again, after the rows before it
        return found, error
    return found, None


def _raising(error: Exception) -> Iterator[Any]:
    yield from ()
    raise error


_CONNECTION: Any = _BaseCursor.__dict__["connection"].__get__
_DESCRIPTION: Any = _BaseCursor.__dict__["description"].__get__
_ROWCOUNT: Any = _BaseCursor.__dict__["rowcount"].__get__
_LASTROWID: Any = _BaseCursor.__dict__["lastrowid"].__get__
_MAKE_CURSOR: Any = _BaseConnection.cursor
_SHOWN: dict[str, Callable[[Any], Any]] = {
    "connection": lambda cursor: cursor._owner or _CONNECTION(cursor),
    "description": lambda cursor: (cursor._answer or (_DESCRIPTION(cursor),))[0],
    "rowcount": lambda cursor: cursor._answer[1] if cursor._answer else _ROWCOUNT(cursor),
    "lastrowid": lambda cursor: cursor._answer[2] if cursor._answer else _LASTROWID(cursor),
}
for _name, _shown in _SHOWN.items():
    setattr(Cursor, _name, property(_shown))


def _nothing(*_: object) -> Any:
    return None


def _state(name: str) -> property:
    """Return a property of connections whose reading, and setting, is an event in a scope.

    The database knows the answer, and it changes with every statement and by itself.
    """
    own: Any = _BaseConnection.__dict__[name]
    kind = f"sqlite3.{name}"

    def read(self: Any) -> Any:
        lane = current()
        if lane is None:
            return own.__get__(self)
        return call(lane, kind, None, functools.partial(own.__get__, self))

    def write(self: Any, value: Any) -> None:
        lane = current()
        if lane is None:
            own.__set__(self, value)
            return
        if lane.mode == REPLAY:
            own.__set__(self, value)
        call(lane, f"{kind}=", value, functools.partial(own.__set__, self, value))

    return property(read, write)


class RecordedConnection(sqlite3.Connection):
    """A connection on which statements run inside a scope are events."""

    _private: Any = None

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor, of a subclass of the class that is asked for."""
        if factory is None:
            return _MAKE_CURSOR(self, Cursor)
        made: Any = _MAKE_CURSOR(self, _cursor_class(factory))
        if not isinstance(made, Cursor):  # a function made it
            row_factory, made = made.row_factory, _cursor_class(cast("Any", type(made)))(self)
            made.row_factory = row_factory
        return made

    def execute(self, *args: Any) -> Any:
        """Make a cursor and run one statement on it."""
        return self._on_cursor("execute", args)

    def executemany(self, *args: Any) -> Any:
        """Make a cursor and run one statement for each row of parameters on it."""
        return self._on_cursor("executemany", args)

    def executescript(self, *args: Any) -> Any:
        """Make a cursor and run several statements on it."""
        return self._on_cursor("executescript", args)

    def _on_cursor(self, name: str, args: Any) -> Any:
        return getattr(_MAKE_CURSOR(self, Cursor), name)(*args)

    def _scratch(self) -> Any:
        """Return a connection of ours, on which replay names a cursor's columns."""
        if self._private is None:
            self._private = _CONNECT(":memory:", check_same_thread=False)
        return self._private

    def close(self) -> None:
        """Close the connection."""
        private, self._private = self._private, None
        if private is not None:
            private.close()
        super().close()

    def _transact(self, kind: str, live: Callable[[], Any]) -> Any:
        lane = current()
        return live() if lane is None else call(lane, kind, None, live)

    def commit(self) -> None:
        """Commit the transaction."""
        self._transact("sqlite3.commit", super().commit)

    def rollback(self) -> None:
        """Roll the transaction back."""
        self._transact("sqlite3.rollback", super().rollback)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        live = functools.partial(super().__exit__, kind, error, trace)
        self._transact("sqlite3.commit" if kind is None else "sqlite3.rollback", live)
        return False


def _refused(name: str) -> Callable[..., Any]:
    """Return a method that works past statements, and so is refused on replay."""
    own: Any = _BaseConnection.__dict__[name]

    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is not None and lane.mode == REPLAY:
            raise LiveCallRefused(f"sqlite3.{name}", "a database that is not there")
        return own(self, *args, **kwargs)

    return method


for _name in ("backup", "blobopen", "serialize", "deserialize"):
    if _name in _BaseConnection.__dict__:  # the last two depend on how SQLite was built
        setattr(RecordedConnection, _name, _refused(_name))
for _name in ("in_transaction", "total_changes", "isolation_level", "autocommit"):
    if _name in _BaseConnection.__dict__:  # autocommit: since 3.12
        setattr(RecordedConnection, _name, _state(_name))

_CONNECT = sqlite3.connect


# Ours go below the application's classes in the order of resolution, and above the driver's:
# the application's own methods run as they are written, also on replay.


@functools.cache
def _connection_class(base: Any) -> Any:
    """Return a subclass of the application's connection class that records."""
    if base is _BaseConnection:
        return _Connection
    if not isinstance(base, type) or issubclass(base, RecordedConnection):
        return base  # a function that makes a connection: what it calls is hooked
    return type(base.__name__, (base, RecordedConnection), {"__module__": base.__module__})


_Connection = type("Connection", (RecordedConnection,), {"__module__": "sqlite3"})


@functools.cache
def _cursor_class(base: Any) -> Any:
    """Return a subclass of the application's cursor class that records."""
    if base is _BaseCursor:
        return Cursor
    if not isinstance(base, type) or issubclass(base, Cursor):
        return base
    return type(base.__name__, (base, Cursor), {"__module__": base.__module__})


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

        def stub() -> Any:
            with mask():
                return connect(":memory:", *args, **kwargs)

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
