"""MySQL Connector/Python with its C extension: statements and rows, above what is in C.

Hooks: of `CMySQLConnection` `connect` and `_open_connection`; `cmd_query`, `info_query`,
`get_rows`, `next_result`, `commit`, `rollback`, prepared statements; what sets a connection up. On
replay the driver's own methods run on what was recorded of the extension's object. Read in 9.4
and 26.10.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from _mysql_connector import MySQLInterfaceError
from mysql.connector.abstracts import CMySQLPrepStmt
from mysql.connector.connection_cext import CMySQLConnection

from retrace_core.boundary import Boundary, Hook, Patch, call, mask
from retrace_core.databases.mysql.backend import Backend
from retrace_core.databases.mysql.connector_connections import (
    SETTING_UP,
    connecting,
    mode_known,
    numbering,
    opening,
    setting,
    setting_up,
    telling,
)
from retrace_core.databases.mysql.connector_exchanges import prepared, queried
from retrace_core.databases.mysql.connector_results import (
    Said,
    Session,
    Statement,
    counts_of,
    said_by,
    session_of,
)
from retrace_core.databases.mysql.packets import VERSION
from retrace_core.databases.mysql.question import question_of
from retrace_core.errors import LiveCallRefused
from retrace_core.lane_hook import lane_hook
from retrace_core.masked import masked
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core import native

_KIND = "mysqlconnector_c"
_QUERY, _FETCH, _NEXT = f"{_KIND}.query", f"{_KIND}.fetch", f"{_KIND}.next"
_INFO, _PREPARE, _EXECUTE = f"{_KIND}.info", f"{_KIND}.prepare", f"{_KIND}.execute"
_TEXT = "_retrace_text"
_ASKING, _EXECUTING = 0x03, 0x17
_PREPARED = 3
"""Where `get_rows` takes a statement, after the count."""
_NOT_TO_A_STUB = {
    "_unix_socket": None,
    "_ssl_disabled": True,
    "_auth_plugin": "",
    "_auth_plugin_class": None,
    "_compress": False,
    "_openid_token_file": None,
    "_oci_config_file": None,
    "_oci_config_profile": None,
    "_webauthn_callback": None,
    "_password": "",
    "_password1": "",
    "_password2": "",
    "_password3": "",
}
"""Settings that are of use to a real server only, and what is said in their place."""


def _session(connection: Any, lane: native.Lane, kind: str) -> Session | None:
    """Return what a connection has on replay; None for a live one, which no replay may use."""
    found = session_of(connection)
    is_open = connection._cmysql is not None
    if is_open and (lane.mode == REPLAY) != (found is not None):
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")
    return found


def _open_stub(original: Callable[[Any], None], connection: Any, version: str) -> None:
    """Open a connection to a stand-in: by the settings that it has, but those of logging in."""
    own = connection.__dict__
    kept = {name: own.get(name) for name in (*_NOT_TO_A_STUB, "_host", "_port", "_ssl")}
    own.update(_NOT_TO_A_STUB, _host="127.0.0.1", _port=Backend(version).port, _ssl={})
    try:
        original(connection)
    finally:
        own.update(kept)
    connection._cmysql = Session(connection._cmysql)


def _hooked_open(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def stub(connection: Any, facts: list[Any]) -> None:
        _open_stub(original, connection, facts[0])

    opened: Callable[[Any], None] = opening(stub)(original)
    return opened


def _version(connection: Any) -> list[Any]:
    return [connection._cmysql.get_server_info()]


def _saying(
    kind: str, question: Callable[..., object], result: Callable[..., Any] | None = None
) -> Callable[[Any], Any]:
    """Return the factory of a hook for a method that asks: its outcome is what is said then.

    Args:
        kind: of the event.
        question: gets the method's arguments, and returns the key.
        result: returns whose columns they are; default: the session's.
    """

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            live = functools.partial(original, self, *args, **kwargs)
            if lane is None or self._cmysql is None:
                return live()
            session, key = _session(self, lane, kind), question(self, *args, **kwargs)
            if session is None:
                whose = None if result is None else result(*args)
                return call(lane, kind, key, live, lambda _: said_by(self._cmysql, whose))
            try:
                session.expect(call(lane, kind, key, _unrecorded))
            except Exception as error:
                session.fail(error)
                raise
            with mask():
                return live()

        return lane_hook(original, asked)

    return factory


def _unrecorded() -> Said | None:
    return None


def _statement(statement: Any, *_: Any) -> Any:
    """Return what `cmd_stmt_execute` gives the columns of its result to."""
    return statement


def _hooked_rows(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get_rows(self: Any, count: Any = None, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, count, *args, **kwargs)
        if lane is None or self._cmysql is None:
            return live()
        session = _session(self, lane, _FETCH)
        statement = args[_PREPARED] if len(args) > _PREPARED else kwargs.get("prep_stmt")
        key = [count, statement is not None]
        if session is None:

            def encode(found: tuple[Any, Any]) -> tuple[Any, ...]:
                return (*found, counts_of(self._cmysql), [one[0] for one in self._columns])

            return call(lane, _FETCH, key, live, encode)
        if session.is_passed:
            return live()
        try:
            found: Any = call(lane, _FETCH, key, _unrecorded)
        except Exception as error:
            session.fail(error)
            raise
        rows, eof, counts, _ = found or ([], {}, [], [])
        session.read(counts, all_of_it=statement is None and eof is not None)
        if statement is not None and eof is not None:
            statement.free_result()
            self._unread_result = False
        return list(rows), eof

    return lane_hook(original, get_rows)


def _hooked_next(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(original)
    def next_result(self: Any) -> Any:
        lane = current()
        live = functools.partial(original, self)
        if lane is None or self._cmysql is None:
            return live()
        session = _session(self, lane, _NEXT)
        if not self._cmysql.more_results():
            return live()
        if session is None:
            return call(
                lane, _NEXT, None, live, lambda found: said_by(self._cmysql) if found else None
            )
        if not session.is_passed:
            session.expect(call(lane, _NEXT, None, _unrecorded))
        with mask():
            return live()

    return lane_hook(original, next_result)


def _hooked_info(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `info_query`, which asks and reads one row."""

    @functools.wraps(original)
    def info_query(self: Any, query: Any) -> Any:
        lane = current()
        if lane is None or self._cmysql is None:
            return original(self, query)
        _session(self, lane, _INFO)
        return call(lane, _INFO, question_of(_ASKING, query), lambda: original(self, query))

    return lane_hook(original, info_query)


def _hooked_prepare(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def cmd_stmt_prepare(self: Any, statement: Any, **kwargs: Any) -> Any:
        lane, key = current(), prepared(self, statement)
        live = functools.partial(original, self, statement, **kwargs)
        session = None if lane is None else _session(self, lane, _PREPARE)
        if lane is None:
            found = live()
        elif session is None:
            found = call(lane, _PREPARE, key, live, lambda made: made.param_count)
        else:
            count = call(lane, _PREPARE, key, lambda: statement.count(b"?"))
            found = CMySQLPrepStmt(Statement(session, count))
        found.__dict__[_TEXT] = key[1]
        return found

    return cmd_stmt_prepare


def _hooked_charset(original: Callable[..., None]) -> Callable[..., None]:
    """Return a `set_charset_collation` after which a stand-in quotes so, as a server has it."""

    @functools.wraps(original)
    def set_charset_collation(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        session = session_of(self)
        if session is not None:
            session.quote_by(self._character_set.get_info(self._charset_id)[0])

    return set_charset_collation


def _executed(_: Any, statement: Any, *args: Any, **__: Any) -> list[Any]:
    return [_EXECUTING, statement.__dict__.get(_TEXT, ""), list(args)]


def _no_key(*_: Any, **__: Any) -> None:
    return None


def _options(_: Any, options: int) -> int:
    return options


BOUNDARY = Boundary(
    kind=_KIND,
    supports="mysql-connector-python>=9.4",
    hooks=(
        Patch(CMySQLConnection, "connect", connecting(_KIND, _version, [VERSION])),
        Patch(CMySQLConnection, "_open_connection", _hooked_open),
        Patch(CMySQLConnection, "cmd_query", _saying(_QUERY, queried)),
        Patch(CMySQLConnection, "_execute_query", _saying(_QUERY, queried)),
        Patch(CMySQLConnection, "info_query", _hooked_info),
        Patch(CMySQLConnection, "get_rows", _hooked_rows),
        Patch(CMySQLConnection, "next_result", _hooked_next),
        Patch(CMySQLConnection, "commit", _saying(f"{_KIND}.commit", _no_key)),
        Patch(CMySQLConnection, "rollback", _saying(f"{_KIND}.rollback", _no_key)),
        Patch(CMySQLConnection, "cmd_stmt_prepare", _hooked_prepare),
        Patch(CMySQLConnection, "cmd_stmt_execute", _saying(_EXECUTE, _executed, _statement)),
        Patch(CMySQLConnection, "set_charset_collation", _hooked_charset),
        *(
            Patch(CMySQLConnection, name, setting_up(f"{_KIND}.{name}", _session))
            for name in (*SETTING_UP, "set_character_set_name")
        ),
        Patch(CMySQLConnection, "autocommit", setting(f"{_KIND}.autocommit", _session)),
        Patch(CMySQLConnection, "database", setting(f"{_KIND}.database", _session)),
        Patch(CMySQLConnection, "sql_mode", mode_known(f"free.{_KIND}.sql_mode", _session)),
        Patch(CMySQLConnection, "is_connected", telling(f"{_KIND}.lost", _session)),
        Patch(CMySQLConnection, "close", masked),
        Patch(CMySQLConnection, "disconnect", masked),
        Patch(CMySQLConnection, "connection_id", numbering(f"{_KIND}.id", _session)),
        Hook(owner=CMySQLConnection, name="cmd_statistics", key=_no_key),
        Hook(owner=CMySQLConnection, name="cmd_refresh", key=_options),
        Hook(owner=CMySQLConnection, name="cmd_shutdown", key=_no_key),
    ),
    errors=("mysql.connector.errors", MySQLInterfaceError),
)
