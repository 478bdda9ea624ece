"""sqlite3: connect, execute, fetch, transactions, through subclasses of the driver's classes.

Hook: `sqlite3.connect` (also as `sqlite3.dbapi2.connect`, which SQLAlchemy uses) hands out
connections of a subclass, and these hand out cursors of a subclass, also outside a scope: a
cursor may be made at start-up and be used in a request. `sqlite3.Cursor` is that subclass, too.
On replay a connection is a private memory database: what runs outside a lane (start-up, pings)
runs on it for real, what runs inside a lane is answered from the recording. Functions of the
application's that SQLite calls are called on replay too: see `retrace_core.sqlite`. Read in
CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import sqlite3
import sqlite3.dbapi2
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt, in_replay, mask
from retrace_core.native import REPLAY, current
from retrace_core.sqlite.cells import hooked_register, unwrap_converters, wrap_converters
from retrace_core.sqlite.memory import private_name
from retrace_core.sqlite.recorded_connection import RecordedConnection
from retrace_core.sqlite.recorded_cursor import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_BaseConnection = sqlite3.Connection


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
        uri = bool(kwargs.pop("uri", False)) or (len(args) > 6 and bool(args[6]))
        memory = private_name(database, uri=uri)

        def stub() -> Any:
            with mask():
                made = connect(
                    memory or ":memory:", *args[:6], **kwargs, uri=memory.startswith("file:")
                )
            made._answers_itself = bool(memory)
            return made

        if lane is None:
            return stub()
        return attempt(lane, "sqlite3.connect", str(database), stub, stub)

    return connecting


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
        Patch(sqlite3, "Cursor", _hooked_cursor),
        Patch(sqlite3.dbapi2, "Cursor", _hooked_cursor),
        Patch(sqlite3, "register_converter", hooked_register),
        Patch(sqlite3.dbapi2, "register_converter", hooked_register),
    ),
    install=_install,
    remove=unwrap_converters,
    errors=("sqlite3",),
)
