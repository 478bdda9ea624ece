"""Memory databases on replay: what was not recorded of them they answer themselves.

A database in memory is no part of the outside world. What a request asks of one is recorded,
for it may hold what earlier requests left there; but a replay in a cold process may have to make
one that was there already, and then asks more of it than was recorded. The same goes for PRAGMAs
that set something on a connection: how many connections are set up depends on how warm a pool is.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrace_core.recording import Event

__all__ = ["is_private", "is_setting", "private_name", "sets"]

_SETS = re.compile(r"\s*PRAGMA\s+(?:\w+\.)?\w+\s*=", re.IGNORECASE)
_EXECUTE = ("sqlite3.execute", "apsw.execute")
_NAMED = "file:"
_MARK = "retrace-replay-"


def private_name(database: Any, *, uri: bool) -> str:
    """Return the name by which a replay opens a memory database; "" for one in a file.

    Connections that shared one database share one again, which is not the application's own.
    """
    name = os.fsdecode(database) if isinstance(database, str | bytes | os.PathLike) else ""
    if name == ":memory:" or (isinstance(database, str | bytes) and not name):
        return ":memory:"
    if not uri or not name.startswith(_NAMED):
        return ""
    path, _, options = name.removeprefix(_NAMED).partition("?")
    if path == ":memory:":
        return name
    return f"{_NAMED}{_MARK}{path}?{options}" if "mode=memory" in options else ""


def is_private(database: Any) -> bool:
    """Return True for a name that `private_name` gave."""
    return isinstance(database, str) and database.startswith(
        (f"{_NAMED}:memory:", f"{_NAMED}{_MARK}")
    )


def sets(kind: str, key: Any) -> bool:
    """Return True for a PRAGMA that sets something on a connection."""
    sql = key[0] if isinstance(key, list | tuple) and key else key
    return kind in _EXECUTE and isinstance(sql, str) and _SETS.match(sql) is not None


def is_setting(event: Event) -> bool:
    """Return True for the event of such a PRAGMA."""
    return sets(event.kind, event.key)
