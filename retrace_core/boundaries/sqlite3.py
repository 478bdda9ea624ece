"""sqlite3: connect, execute, fetch, transactions, through subclasses of the driver's classes.

Hook: `sqlite3.connect` (also as `sqlite3.dbapi2.connect`, which SQLAlchemy uses) hands out
connections of a subclass, and these hand out cursors of a subclass, also outside a scope: a
cursor may be made at start-up and be used in a request. `sqlite3.Connection` and `sqlite3.Cursor`
are these subclasses, too: the first may be called by itself.
On replay a connection is a private memory database: what runs outside a lane (start-up, pings)
runs on it for real, what runs inside a lane is answered from the recording. Functions of the
application's that SQLite calls are called on replay too: see
`retrace_core.databases.sqlite`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import sqlite3
import sqlite3.dbapi2
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt, in_replay, mask
from retrace_core.databases.sqlite.cells import hooked_register, unwrap_converters, wrap_converters
from retrace_core.databases.sqlite.memory import private_name
from retrace_core.databases.sqlite.recorded_connection import RecordedConnection
from retrace_core.databases.sqlite.recorded_cursor import Cursor
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_BaseConnection = sqlite3.Connection


# Ours go below the application's classes in the order of resolution, and above the driver's:
# the application's own methods run as they are written, also on replay.


class _Connecting(threading.local):
    """Whether a replay's stub is being made in this thread."""

    on = False


_connecting = _Connecting()


@functools.cache
def _connection_class(base: Any) -> Any:
    """Return a subclass of the application's connection class that records."""
    if base is _BaseConnection:
        return _Connection
    if not isinstance(base, type) or issubclass(base, RecordedConnection):
        return base  # a function that makes a connection: what it calls is hooked
    return type(base.__name__, (base, _Connection), {"__module__": base.__module__})


def _construct(self: Any, database: Any, *args: Any, **kwargs: Any) -> None:
    """Open a connection that is made by its class: pydal does so, and so web2py and py4web."""
    if _connecting.on:
        RecordedConnection.__init__(self, database, *args, **kwargs)
        return

    def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
        RecordedConnection.__init__(self, database, *args, **kwargs)
        return self

    # Connection(database, timeout, detect_types, isolation_level, check_same_thread, cached, uri)
    _open(connect, database, args, kwargs, uri_at=5)


_Connection = type(
    "Connection", (RecordedConnection,), {"__module__": "sqlite3", "__init__": _construct}
)


def _hooked_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def connecting(database: Any, *args: Any, **kwargs: Any) -> Any:
        # connect(database, timeout, detect_types, isolation_level, check_same_thread, factory)
        if len(args) >= 5:
            args = (*args[:4], _connection_class(args[4]), *args[5:])
        else:
            kwargs["factory"] = _connection_class(kwargs.get("factory", _BaseConnection))
        return _open(connect, database, args, kwargs, uri_at=6)

    return connecting


def _open(
    connect: Callable[..., Any],
    database: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    uri_at: int,
) -> Any:
    """Return the connection that `connect` makes, on replay one to a database in memory.

    Args:
        connect: opens it.
        database, args, kwargs: of the call.
        uri_at: place of the argument `uri` after the database.
    """
    lane = current()
    if lane is not None and lane.mode != REPLAY:
        return attempt(
            lane, "sqlite3.connect", str(database), lambda: connect(database, *args, **kwargs)
        )
    if not in_replay():
        return connect(database, *args, **kwargs)
    uri = bool(kwargs.pop("uri", False)) or (len(args) > uri_at and bool(args[uri_at]))
    memory = private_name(database, uri=uri)

    def stub() -> Any:
        before, _connecting.on = _connecting.on, True
        try:
            with mask():
                made = connect(
                    memory or ":memory:", *args[:uri_at], **kwargs, uri=memory.startswith("file:")
                )
        finally:
            _connecting.on = before
        made._answers_itself = bool(memory)
        return made

    if lane is None:
        return stub()
    return attempt(lane, "sqlite3.connect", str(database), stub, stub)


def _hooked_class(_: Any) -> Any:
    return _Connection


def _hooked_cursor(_: Any) -> Any:
    # Subclasses call the methods of the class that they name: `sqlite3.Cursor.execute(self, sql)`.
    return Cursor


def _install(_: ModuleType) -> None:
    wrap_converters()


BOUNDARY = Boundary(
    kind="sqlite3",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(sqlite3, "connect", _hooked_connect),
        Patch(sqlite3.dbapi2, "connect", _hooked_connect),
        Patch(sqlite3, "Connection", _hooked_class),
        Patch(sqlite3.dbapi2, "Connection", _hooked_class),
        Patch(sqlite3, "Cursor", _hooked_cursor),
        Patch(sqlite3.dbapi2, "Cursor", _hooked_cursor),
        Patch(sqlite3, "register_converter", hooked_register),
        Patch(sqlite3.dbapi2, "register_converter", hooked_register),
    ),
    install=_install,
    remove=unwrap_converters,
    errors=("sqlite3",),
)
