"""Notes: hooks by which a wait learns what psycopg sends to the server next."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from psycopg import _connection_base

from retrace_core.databases.postgresql.psycopg_exchanges import stream_begins
from retrace_core.databases.postgresql.psycopg_wait import WAIT, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = [
    "described",
    "noting",
    "noting_close",
    "noting_command",
    "noting_query",
    "noting_stream",
    "quietly",
]


def noting_query(how: str, at: int) -> Callable[[Any], Any]:
    """Return the factory of a hook that notes the query which is its argument number `at`."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def sending(self: Any, *args: Any, **kwargs: Any) -> Any:
            waits = WAIT.get()
            if waits is not None:
                query = args[at]
                waits.say(query.query, query.params, how)
            return original(self, *args, **kwargs)

        return sending

    return factory


def noting_command(original: Any) -> Any:
    """Return an `_exec_command` that notes the command."""

    @functools.wraps(original)
    def commanding(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        waits = WAIT.get()
        if waits is not None:
            if isinstance(command, str):
                command = command.encode(self.pgconn._encoding)
            elif not isinstance(command, bytes):
                command = command.as_bytes(self)
            waits.say(command)
        return original(self, command, *args, **kwargs)

    return commanding


def noting(what: Callable[..., tuple[bytes, str]]) -> Callable[[Any], Any]:
    """Return the factory of a hook that notes what `what` makes of the arguments."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
            waits = WAIT.get()
            if waits is None:
                return original(self, *args, **kwargs)
            text, how = what(self, *args)
            waits.say(text, None, how)
            return original(self, *args, **kwargs)

        return noted

    return factory


def quietly(original: Any) -> Any:
    """Return a generator function below which statements are a connection's own business."""

    @functools.wraps(original)
    def quiet(self: Any, *args: Any, **kwargs: Any) -> Any:
        waits = WAIT.get()
        live = original(self, *args, **kwargs)
        return live if waits is None else _quieted(waits, live)

    return quiet


def _quieted(waits: Wait, live: Any) -> Generator[Any, Any, Any]:
    waits.quiet += 1
    try:
        return (yield from live)
    finally:
        waits.quiet -= 1


def noting_close(original: Any) -> Any:
    """Return a `_deallocate` whose Close message is known for one, where that is sent."""
    inner = quietly(original)

    @functools.wraps(original)
    def deallocating(self: Any, name: Any) -> Any:
        waits = WAIT.get()
        if waits is not None and name is not None and _HAS_CLOSE:
            waits.say(b"", None, "close")
        return inner(self, name)

    return deallocating


def described(cursor: Any) -> tuple[bytes, str]:
    """Return (text, how) for the question what columns a named cursor has."""

    return f'DESCRIBE "{cursor._name}"'.encode(), "describe"


_HAS_CLOSE = bool(getattr(_connection_base, "_HAS_SEND_CLOSE", False))


def noting_stream(original: Any) -> Any:
    """Return a `_stream_send_gen` that notes how many rows are read at once."""

    @functools.wraps(original)
    def streaming(self: Any, *args: Any, size: int = 1, **kwargs: Any) -> Any:
        if WAIT.get() is not None:
            stream_begins(self._conn, size)
        return (yield from original(self, *args, size=size, **kwargs))

    return streaming
