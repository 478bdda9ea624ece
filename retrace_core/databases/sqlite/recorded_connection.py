"""Connection of sqlite3 on which statements run inside a scope are events."""

from __future__ import annotations

import functools
import hashlib
import sqlite3
from typing import TYPE_CHECKING, Any, Literal, cast

from retrace_core.boundary import call, mask
from retrace_core.databases.sqlite.blob import RecordedBlob
from retrace_core.databases.sqlite.callbacks import CALLED_BACK, Callbacks
from retrace_core.databases.sqlite.memory import sets
from retrace_core.databases.sqlite.recorded_cursor import Cursor, cursor_class
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RecordedConnection"]

_BaseConnection = sqlite3.Connection
_MAKE_CURSOR: Any = _BaseConnection.cursor
_CONNECT = sqlite3.connect


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
        live = functools.partial(own.__get__, self)
        if lane.mode == REPLAY and self._is_live(lane, kind, None):
            return live()
        return call(lane, kind, None, live)

    def write(self: Any, value: Any) -> None:
        lane = current()
        if lane is None:
            own.__set__(self, value)
            return
        if lane.mode == REPLAY:
            own.__set__(self, value)
        self._cross(lane, f"{kind}=", value, None, own.__set__, self, value)

    return property(read, write)


class RecordedConnection(sqlite3.Connection):
    """A connection on which statements run inside a scope are events."""

    _private: Any = None
    calls_back: Callbacks | None = None
    """The application's functions that SQLite calls, once there was one."""
    _detects = False
    _answers_itself = False
    """True for a database in memory on replay."""

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        # As they were given: CPython 3.13 warns of arguments by place.
        self._detects = bool(args[1] if len(args) > 1 else kwargs.get("detect_types", 0))
        super().__init__(database, *args, **kwargs)

    def _cross(
        self, lane: Any, kind: str, key: object, encode: Any, live: Callable[..., Any], *args: Any
    ) -> Any:
        """Return what `live` returns, recorded with what SQLite calls meanwhile; or replayed."""
        callbacks = self.calls_back
        if lane.mode == REPLAY:
            if self._is_live(lane, kind, key):
                with mask():
                    return live(*args)
            if callbacks is not None and callbacks.functions:
                callbacks.play(lane)
            return call(lane, kind, key, _nothing)
        if callbacks is not None and callbacks.functions:
            return lane.call(kind, key, encode, callbacks.during, lane, live, *args)
        return lane.call(kind, key, encode, live, *args)

    def _is_live(self, lane: Any, kind: str, key: object) -> bool:
        """Return True for what was not recorded, and a replay's own database can do."""
        if not self._answers_itself and not sets(kind, key):
            return False
        if lane.scope.comes(lane, kind, key, past=(CALLED_BACK,)):
            return False
        if self._answers_itself:
            lane.scope.answers_itself(lane, kind)
        return True

    def _asked(self, kind: str, key: object, live: Callable[..., Any], *args: Any) -> Any:
        lane = current()
        return live(*args) if lane is None else self._cross(lane, kind, key, None, live, *args)

    def _called_back(self) -> Callbacks:
        if self.calls_back is None:
            self.calls_back = Callbacks()
        return self.calls_back

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor, of a subclass of the class that is asked for."""
        if factory is None:
            return _MAKE_CURSOR(self, Cursor)
        made: Any = _MAKE_CURSOR(self, cursor_class(factory))
        if not isinstance(made, Cursor):  # a function made it
            row_factory, made = made.row_factory, cursor_class(cast("Any", type(made)))(self)
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

    def commit(self) -> None:
        """Commit the transaction."""
        self._asked("sqlite3.commit", None, super().commit)

    def rollback(self) -> None:
        """Roll the transaction back."""
        self._asked("sqlite3.rollback", None, super().rollback)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        live = functools.partial(super().__exit__, kind, error, trace)
        self._asked("sqlite3.commit" if kind is None else "sqlite3.rollback", None, live)
        return False

    def backup(self, target: Any, *, progress: Any = None, **options: Any) -> None:
        """Copy the database into another one."""
        callbacks = self._called_back()
        options["progress"] = callbacks.wrapped("backup", progress)
        try:
            key = {name: value for name, value in options.items() if name != "progress"}
            live = functools.partial(super().backup, target, **options)
            self._asked("sqlite3.backup", key, live)
        finally:
            callbacks.wrapped("backup", None)

    def blobopen(self, *args: Any, **options: Any) -> Any:
        """Open a value of a table."""
        live = functools.partial(super().blobopen, *args, **options)
        lane = current()
        if lane is None:
            return RecordedBlob(live())
        opened: list[Any] = [None]

        def opening() -> None:
            opened[0] = live()

        self._cross(lane, "sqlite3.blobopen", [args, options], None, opening)
        return RecordedBlob(opened[0])

    def create_function(self, name: str, narg: int, func: Any, **options: Any) -> None:
        """Register an SQL function."""
        wrapped = self._called_back().wrapped(f"function {name.lower()}/{narg}", func)
        super().create_function(name, narg, wrapped, **options)

    def create_aggregate(self, name: str, n_arg: int, aggregate_class: Any) -> None:
        """Register an aggregate."""
        wrapped = self._called_back().wrapped_class(
            f"function {name.lower()}/{n_arg}", aggregate_class
        )
        super().create_aggregate(name, n_arg, wrapped)

    def create_window_function(self, name: str, num_params: int, window: Any, /) -> None:
        """Register a window function."""
        wrapped = self._called_back().wrapped_class(f"function {name.lower()}/{num_params}", window)
        super().create_window_function(name, num_params, wrapped)

    def create_collation(self, name: str, callback: Any, /) -> None:
        """Register an order of texts."""
        wrapped = self._called_back().wrapped(f"collation {name.lower()}", callback)
        super().create_collation(name, wrapped)

    def set_authorizer(self, authorizer_callback: Any) -> None:
        """Have a function say what statements may do."""
        super().set_authorizer(self._called_back().wrapped("authorizer", authorizer_callback))

    def set_progress_handler(self, progress_handler: Any, n: int) -> None:
        """Have a function called every so many instructions."""
        wrapped = self._called_back().wrapped("progress", progress_handler)
        super().set_progress_handler(wrapped, n)

    def set_trace_callback(self, trace_callback: Any) -> None:
        """Have a function called with each statement."""
        super().set_trace_callback(self._called_back().wrapped("trace", trace_callback))


def _event(name: str, key: Callable[..., object]) -> Callable[..., Any]:
    """Return a method whose calls inside a scope are events."""
    own: Any = _BaseConnection.__dict__[name]

    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        live = functools.partial(own, self, *args, **kwargs)
        if current() is None:
            return live()
        return self._asked(f"sqlite3.{name}", key(*args, **kwargs), live)

    return method


def _database_key(data: Any, *, name: str = "main") -> object:
    return [name, len(data), hashlib.sha256(data).hexdigest()]


_KEYS: dict[str, Callable[..., object]] = {
    "serialize": lambda *, name="main": name,
    "deserialize": _database_key,
    "enable_load_extension": lambda enable, /: enable,
    "load_extension": lambda name, /, **options: [name, options],
}
for _name, _key in _KEYS.items():
    if _name in _BaseConnection.__dict__:  # they depend on how SQLite was built
        setattr(RecordedConnection, _name, _event(_name, _key))
for _name in ("in_transaction", "total_changes", "isolation_level", "autocommit"):
    if _name in _BaseConnection.__dict__:  # autocommit: since 3.12
        setattr(RecordedConnection, _name, _state(_name))
