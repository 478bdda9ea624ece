"""pg8000: what the server says, as it comes, below converters, cursors and rows.

Hooks, of `core.CoreConnection`: `__init__`, and what asks the server (`execute_simple`,
`execute_unnamed`, `prepare_statement`, `execute_named`, `close_prepared_statement`), whose outcome
are the messages that are read meanwhile. On replay pg8000 itself reads the recorded ones. That it
begins a transaction is no event: a pool's ping may have begun it. Read in pg8000 1.31.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pg8000 import core

from retrace_core.boundary import (
    Boundary,
    Patch,
    attempt,
    call,
    connected,
    mask,
    on_boot_tape,
)
from retrace_core.databases.postgresql.message_stub import MessageStub, Noting, is_whole
from retrace_core.databases.postgresql.protocol import described
from retrace_core.errors import LiveCallRefused
from retrace_core.generated_names import without_generated_names
from retrace_core.masked import masked
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

    Key = Callable[..., list[Any]]

_CONNECT, _STARTUP = "pg8000.connect", "pg8000.startup"
_BEGINS = "begin transaction"
_Connection: Any = core.CoreConnection
_STUB, _PLACE = "_retrace_stub", "_retrace_place"
_statuses: dict[str, dict[str, str]] = {}
"""Address and database -> what the server had reported of its settings."""


def _hooked_init(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(  # noqa: N807  # it takes the place of the one of that name
        self: Any,
        user: Any,
        host: Any = "localhost",
        database: Any = None,
        port: Any = 5432,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        lane = current()
        name = database or user
        self.__dict__[_PLACE] = str(name.decode() if isinstance(name, bytes) else name)
        key = [str(kwargs.get("unix_sock") or host), str(port), self.__dict__[_PLACE]]

        def statuses(known: Callable[[], dict[str, str]]) -> dict[str, str]:
            lane = current()
            return known() if lane is None else call(lane, _STARTUP, key, known)

        def live() -> None:
            with on_boot_tape(_CONNECT, key):
                init(self, user, host, database, port, *args, **kwargs)
                _statuses[repr(key)] = statuses(lambda: _reported(self))

        def stub() -> None:
            with on_boot_tape(_CONNECT, key):
                made = MessageStub(statuses(lambda: _statuses.get(repr(key), {})))
                self.__dict__[_STUB] = made
                options = {**kwargs, "unix_sock": None, "sock": made, "ssl_context": False}
                with mask():
                    init(self, user, host, database, port, *args[:2], **options)

        connected(lane, _CONNECT, key, live, stub)

    return __init__


def _reported(connection: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in connection.parameter_statuses.items()}


def _asking(kind: str, key: Key, before: Callable[..., bytes] = lambda *_: b"") -> Any:
    """Return the factory of a hook for a method that asks the server and reads its answer.

    Args:
        kind: of its events.
        key: gets the method's arguments; returns what is asked.
        before: gets them too; returns the description of the rows, where they come without.
    """

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asking(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane: Any = current()
            stub: MessageStub | None = self.__dict__.get(_STUB)
            live = functools.partial(original, self, *args, **kwargs)
            if lane is None or self._sock is None or not isinstance(args[0], str | bytes):
                return live() if stub is None else _played(stub, stub.neutral(_sql(args)), live)
            if (lane.mode == REPLAY) != (stub is not None):
                raise LiveCallRefused(kind, "a server, on a connection from before the replay")
            if kind == "pg8000.simple" and _sql(args) == _BEGINS:
                return _begun(lane, stub, live)
            asked = [self.__dict__.get(_PLACE), *key(self, *args, **kwargs)]
            if stub is not None:
                return _played(stub, call(lane, kind, asked, lambda: stub.neutral("")), live)
            noting = Noting(self._sock)

            def noted() -> tuple[Any, Exception | None]:
                self._sock = noting
                try:
                    return live(), None
                except Exception as error:
                    if not is_whole(noting.said()):
                        raise  # the server is gone
                    return None, error
                finally:
                    if self._sock is noting:
                        self._sock = noting.below

            rows = before(*args)
            result, error = call(lane, kind, asked, noted, lambda _: rows + noting.said())
            if error is not None:
                raise error
            return result

        return asking

    return factory


def _forgetting(original: Callable[..., None]) -> Callable[..., None]:
    """Return a `close_prepared_statement`, which is nobody's event."""

    @functools.wraps(original)
    def forgetting(self: Any, name: bytes) -> None:
        stub: MessageStub | None = self.__dict__.get(_STUB)
        if stub is not None:
            stub.feed(stub.neutral(""))
        with mask():
            original(self, name)

    return forgetting


def _sql(args: tuple[Any, ...]) -> str:
    """Return the statement among the arguments of any of them, where there is one."""
    return next((one for one in reversed(args) if isinstance(one, str)), "")


def _begun(lane: Any, stub: MessageStub | None, live: Callable[[], Any]) -> Any:
    """Begin a transaction; only a failure of it is an event."""

    def played() -> Any:
        assert stub is not None
        return _played(stub, stub.neutral(_BEGINS), live)

    return attempt(lane, "pg8000.begin", None, live, played)


def _played(stub: MessageStub, said: bytes, live: Callable[[], Any]) -> Any:
    stub.feed(said)
    with mask():
        return live()


def _statement_key(_: Any, statement: str, *__: Any, **___: Any) -> list[Any]:
    return [without_generated_names(statement)]


def _unnamed_key(
    self: Any, statement: str, vals: Any = (), oids: Any = (), stream: Any = None
) -> list[Any]:
    try:
        sent = list(core.make_params(self.py_types, vals))
    except Exception:  # noqa: BLE001  # the application's converter, which is about to be called
        sent = []
    return [without_generated_names(statement), sent]


def _named_key(_: Any, __: Any, params: Any, ___: Any, ____: Any, statement: str) -> list[Any]:
    return [without_generated_names(statement), list(params)]


def _named_rows(_: Any, __: Any, columns: Any, *___: Any) -> bytes:
    """Return the description of a prepared statement's rows, by which secrets in them are found."""
    fields = ("table_oid", "column_attrnum", "type_oid", "type_size", "type_modifier", "format")
    if not columns:
        return b""
    return described([(one["name"].encode(), *(one[name] for name in fields)) for one in columns])


BOUNDARY = Boundary(
    kind="pg8000",
    supports="pg8000>=1.31",
    hooks=(
        Patch(_Connection, "__init__", _hooked_init),
        Patch(_Connection, "execute_simple", _asking("pg8000.simple", _statement_key)),
        Patch(_Connection, "execute_unnamed", _asking("pg8000.execute", _unnamed_key)),
        Patch(_Connection, "prepare_statement", _asking("pg8000.prepare", _statement_key)),
        Patch(_Connection, "execute_named", _asking("pg8000.named", _named_key, _named_rows)),
        Patch(_Connection, "close_prepared_statement", _forgetting),
        Patch(_Connection, "close", masked),
    ),
    errors=("pg8000.exceptions",),
)
