"""mysqlclient (MySQLdb): statements and their results, above the driver that is in C.

Hooks: `Connection`: `__init__`, which connects; `query`, `store_result`, `use_result`,
`next_result` and what stands beside them. On replay the driver connects to a `Backend` in this
process, so that quoting, character sets and cursors are its own. Read in mysqlclient 2.2 and 2.3.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from MySQLdb import connections

from retrace_core.boundary import (
    Boundary,
    Hook,
    Patch,
    attempt,
    call,
    connected,
    in_replay,
    mask,
    on_boot_tape,
    record_error,
    spoil,
)
from retrace_core.databases.mysql.backend import Backend
from retrace_core.databases.mysql.mysqlclient_results import (
    RecordedResult,
    Stub,
    counts_of,
    described,
)
from retrace_core.databases.mysql.packets import VERSION
from retrace_core.errors import LiveCallRefused
from retrace_core.generated_names import without_generated_names
from retrace_core.native import REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core import native

_CONNECT, _STARTUP = "mysqlclient.connect", "mysqlclient.startup"
_QUERY, _STORE, _NEXT = "mysqlclient.query", "mysqlclient.store", "mysqlclient.next"
_STUB = "_retrace_stub"
_OPTIONS = ("host", "user", "password", "database", "port", "unix_socket")
"""What `Connection` takes by place."""
_NOT_TO_A_STUB = (
    "auth_plugin",
    "compress",
    "init_command",
    "named_pipe",
    "read_default_file",
    "read_default_group",
    "server_public_key_path",
    "ssl",
    "ssl_mode",
    "unix_socket",
)
_versions: dict[str, str] = {}
"""Server address and database -> the server's version."""


def _options(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return all options by their names."""
    found = {**dict(zip(_OPTIONS, args, strict=False)), **kwargs}
    for name, short in (("password", "passwd"), ("database", "db")):
        if short in found:
            found[name] = found.pop(short)
    return found


def _init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        lane = current()
        if lane is None and not in_replay():
            return original(self, *args, **kwargs)
        options = _options(args, kwargs)
        key = [str(options.get(name) or "") for name in ("unix_socket", "host", "port", "database")]

        def version(known: Callable[[], str]) -> str:
            lane = current()
            return known() if lane is None else call(lane, _STARTUP, key, known)

        def live() -> None:
            with on_boot_tape(_CONNECT, key):
                original(self, *args, **kwargs)
                _versions[repr(key)] = version(self.get_server_info)

        def stub() -> None:
            with on_boot_tape(_CONNECT, key):
                side = Backend(version(lambda: _versions.get(repr(key), VERSION)))
                self.__dict__[_STUB] = Stub(self)
                asked = {k: v for k, v in options.items() if k not in _NOT_TO_A_STUB}
                original(self, **{**asked, "host": "127.0.0.1", "port": side.port})
                if hasattr(self, "host"):
                    self.host = options.get("host")

        connected(lane, _CONNECT, key, live, stub)

    return __init__


def _question(connection: Any, query: Any) -> list[Any]:
    text = query if isinstance(query, str) else bytes(query).decode("utf-8", "backslashreplace")
    database = getattr(connection, "database", "")
    return [str(database or ""), without_generated_names(text)]


def _stub(connection: Any, lane: native.Lane, kind: str) -> Stub | None:
    """Return the stub that a connection is on replay; None for a live one."""
    found: Stub | None = connection.__dict__.get(_STUB)
    if (lane.mode == REPLAY) != (found is not None):
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")
    return found


def _query(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def query(self: Any, query: Any) -> None:
        lane = current()
        if lane is None:
            if _STUB in self.__dict__:
                self.__dict__[_STUB].passes()
            return original(self, query)
        stub = _stub(self, lane, _QUERY)
        live = functools.partial(original, self, query)
        key = _question(self, query)
        if stub is None:
            call(lane, _QUERY, key, live, lambda _: counts_of(self))
        else:
            stub.says(call(lane, _QUERY, key, functools.partial(stub.unrecorded, live)))
        return None

    return query


def _result(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `store_result` or `use_result`: an event where there is a result."""

    @functools.wraps(original)
    def result(self: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self)
        stub = _stub(self, lane, _STORE)
        if not self.field_count():
            return original(self) if stub is None else None
        if stub is None:

            def live() -> tuple[Any, list[Any]]:
                found = original(self)
                return found, described(found)

            found, said = call(lane, _STORE, None, live, lambda new: [*new[1], counts_of(self)])
            return RecordedResult(found, said)
        if stub.is_passed:
            return original(self)
        replayed: list[Any] = call(lane, _STORE, None, list)
        stub.says(replayed[-1])
        return RecordedResult(None, replayed[:-1])

    return result


def _next_result(original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def next_result(self: Any) -> int:
        lane: Any = current()
        if lane is None:
            return original(self)
        stub = _stub(self, lane, _NEXT)
        if stub is None:
            return _noted_next(self, lane, original)
        if stub.is_passed or not lane.scope.comes_next(lane, _NEXT):
            return -1
        said: list[Any] = call(lane, _NEXT, None, list)
        stub.says(said[1])
        return int(said[0])

    return next_result


def _noted_next(connection: Any, lane: native.Lane, original: Callable[..., int]) -> int:
    """Ask for the next result; no event where there is none, as after most statements."""
    start_ns = now_ns()
    try:
        with mask():
            found = original(connection)
    except BaseException as error:
        record_error(lane, _NEXT, None, error, start_ns)
        raise
    if found != -1:
        try:
            lane.record(_NEXT, None, RETURNED, [found, counts_of(connection)], start_ns)
        except Exception as fault:  # noqa: BLE001  # whatever it is, the request goes on
            spoil(lane, _NEXT, fault)
    return found


def _ending(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for `commit` and `rollback`."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def ending(self: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self)
            _stub(self, lane, kind)
            return call(lane, kind, None, functools.partial(original, self))

        return ending

    return factory


def _setting_up(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for what a connection is told or asked: only a failure counts.

    On replay the driver tells it to the backend.
    """

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def setting_up(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self, *args, **kwargs)
            _stub(self, lane, kind)
            live = functools.partial(original, self, *args, **kwargs)

            def stub() -> Any:
                with mask():
                    return live()

            return attempt(lane, kind, None, live, stub)

        return setting_up

    return factory


def _no_key(*_: Any) -> None:
    return None


_Connection = connections.Connection

BOUNDARY = Boundary(
    kind="mysqlclient",
    supports="mysqlclient>=2.2",
    hooks=(
        Patch(_Connection, "__init__", _init),
        Patch(_Connection, "query", _query),
        Patch(_Connection, "store_result", _result),
        Patch(_Connection, "use_result", _result),
        Patch(_Connection, "next_result", _next_result),
        Patch(_Connection, "commit", _ending("mysqlclient.commit")),
        Patch(_Connection, "rollback", _ending("mysqlclient.rollback")),
        Patch(_Connection, "ping", _setting_up("mysqlclient.ping")),
        Patch(_Connection, "autocommit", _setting_up("mysqlclient.autocommit")),
        Patch(_Connection, "set_character_set", _setting_up("mysqlclient.set_character_set")),
        Patch(_Connection, "select_db", _setting_up("mysqlclient.select_db")),
        Patch(_Connection, "change_user", _setting_up("mysqlclient.change_user")),
        Patch(_Connection, "kill", _setting_up("mysqlclient.kill")),
        Hook(owner=_Connection, name="thread_id", key=_no_key),
        Hook(owner=_Connection, name="stat", key=_no_key),
        Hook(owner=_Connection, name="get_host_info", key=_no_key),
    ),
    errors=("MySQLdb._exceptions",),
)
