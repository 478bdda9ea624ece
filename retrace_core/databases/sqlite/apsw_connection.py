"""Connection of APSW on which statements run inside a scope are events."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import apsw

from retrace_core.boundary import attempt, call, connected, mask
from retrace_core.databases.sqlite.apsw_cursor import ApswCursor, unrecorded
from retrace_core.databases.sqlite.asked import asked
from retrace_core.databases.sqlite.memory import private_name, sets
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ApswConnection"]

_BaseConnection: Any = apsw.Connection
_ANSWERS = (
    "cache_stats",
    "changes",
    "column_metadata",
    "data_version",
    "db_filename",
    "db_names",
    "deserialize",
    "filename",
    "filename_journal",
    "filename_wal",
    "get_autocommit",
    "getautocommit",
    "in_transaction",
    "last_insert_rowid",
    "load_extension",
    "loadextension",
    "pragma",
    "readonly",
    "serialize",
    "set_last_insert_rowid",
    "status",
    "table_exists",
    "total_changes",
    "totalchanges",
    "transaction_mode",
    "txn_state",
    "wal_checkpoint",
)
_NOT_COVERED = (
    "backup",
    "blob_open",
    "blobopen",
    "create_module",
    "createmodule",
    "file_control",
    "filecontrol",
    "fts5_tokenizer",
    "preupdate_hook",
    "read",
    "sqlite3_pointer",
    "sqlite3pointer",
)


class ApswConnection(_BaseConnection):  # type: ignore[misc]  # it is in C
    """A connection on which statements run inside a scope are events."""

    _answers_itself = False
    """True for a database in memory on replay."""

    def __init__(self, filename: Any, *args: Any, **kwargs: Any) -> None:
        lane = current()
        live = functools.partial(super().__init__, filename, *args, **kwargs)
        stub = functools.partial(self._stub, super().__init__, filename, *args, **kwargs)
        connected(lane, "apsw.connect", str(filename), live, stub)
        self.cursor_factory = ApswCursor

    def _stub(
        self, init: Callable[..., None], filename: Any, flags: int = 0, *_: Any, **__: Any
    ) -> None:
        memory = private_name(filename, uri=bool(flags & apsw.SQLITE_OPEN_URI))
        self._answers_itself = bool(memory)
        opened = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        with mask():
            init(memory or ":memory:", opened)

    def _is_live(self, lane: Any, kind: str, key: object) -> bool:
        """Return True for what was not recorded, and a replay's own database can do."""
        if not self._answers_itself and not sets(kind, key):
            return False
        if lane.scope.comes(lane, kind, key):
            return False
        if self._answers_itself:
            lane.scope.answers_itself(lane, kind)
        return True

    def _asked(self, lane: Any, kind: str, key: object, live: Callable[[], Any]) -> Any:
        if lane.mode == REPLAY and self._is_live(lane, kind, key):
            return unrecorded(live)
        return call(lane, kind, key, live)

    def execute(self, statements: str, bindings: Any = None, **options: Any) -> Any:
        """Run statements on a cursor of their own."""
        return self.cursor().execute(statements, bindings, **options)

    def executemany(self, statements: str, sequenceofbindings: Any, **options: Any) -> Any:
        """Run statements for each of many bindings, on a cursor of their own."""
        return self.cursor().executemany(statements, sequenceofbindings, **options)

    def close(self, force: bool = False) -> None:
        """Close the connection."""
        lane, live = current(), functools.partial(super().close, force)
        if lane is None:
            live()
        else:
            attempt(lane, "apsw.close", None, live, functools.partial(unrecorded, live))

    def __enter__(self) -> Any:
        lane, live = current(), super().__enter__
        if lane is None:
            live()
        else:
            self._asked(lane, "apsw.begin", None, lambda: live() and None)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        lane = current()
        if lane is None:
            return super().__exit__(kind, error, trace)
        live = functools.partial(super().__exit__, kind, error, trace)
        return self._asked(lane, "apsw.commit" if kind is None else "apsw.rollback", None, live)


def _uncovered(own: Any, kind: str) -> Any:
    """Return a method that is an event with no answer, and that replay refuses."""

    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return own(self, *args, **kwargs)
        if lane.mode == REPLAY:
            raise LiveCallRefused(kind, "a database that is not there")
        live = functools.partial(own, self, *args, **kwargs)
        return call(lane, kind, None, live, _no_answer)

    return method


def _no_answer(_: Any) -> None:
    return None


for _names, _made in ((_ANSWERS, asked), (_NOT_COVERED, _uncovered)):
    for _name in _names:
        if _name in _BaseConnection.__dict__ and _name not in ApswConnection.__dict__:
            setattr(ApswConnection, _name, _made(_BaseConnection.__dict__[_name], f"apsw.{_name}"))
