"""Commands: what is asked of Redis, as keys, and its replies, for the clients' hooks."""

from __future__ import annotations

import contextlib
import copy
import enum
import sys
from typing import TYPE_CHECKING, Any, cast

from retrace_core.boundary import call, call_async, call_free
from retrace_core.checksum import checksum_of
from retrace_core.codec import PackedException, pack_exception, unpack_exception
from retrace_core.native import REPLAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from retrace_core import native
    from retrace_core.lanes import Lane

__all__ = ["ask", "ask_async", "command_key", "in_database", "note_watch"]

_LONG_BYTES = 1024
"""A longer argument is kept as its length and checksum."""
_PING = "free.redis.ping"
_WITH_DATABASE = 2
_EXCEPTIONS = ("redis.exceptions", "valkey.exceptions")
_SECRET = frozenset(("AUTH", "HELLO", "ACL", "CONFIG", "MIGRATE"))
"""Commands in which a password can stand: only their names are kept."""


def ask(lane: native.Lane, kind: str, key: object, live: Callable[[], Any]) -> Any:
    """Return what Redis replies, as `boundary.call` does.

    Replies with errors among them, and what redis-py's errors know, come back whole.
    """
    try:
        if _is_ping(key):
            return _ping(lane, kind, key, live)
        return call(lane, kind, key, live, _pack, _unpack)
    except BaseException as error:
        _mend(error)
        raise


def _ping(lane: native.Lane, kind: str, key: object, live: Callable[[], Any]) -> Any:
    """Return what a ping is answered: how often one is made depends on how warm the process is.

    kombu makes one for each channel that it opens. One that was not recorded is answered well.
    """
    if lane.mode != REPLAY:
        return call_free(lane, _PING, key, live)
    owner = cast("Lane", lane)
    found, value = owner.scope.free_answer(owner, _PING, key)
    if found:
        return value
    if owner.scope.comes(owner, kind, key):  # recorded in order, as before 2026-12
        return call(lane, kind, key, live)
    return True


def _is_ping(key: object) -> bool:
    return isinstance(key, list) and key[-1:] == ["PING"] and len(key) <= _WITH_DATABASE


async def ask_async(
    lane: native.Lane, kind: str, key: object, live: Callable[[], Awaitable[Any]]
) -> Any:
    """Do what `ask` does, as `boundary.call_async` does."""
    try:
        return await call_async(lane, kind, key, live, _pack, _unpack)
    except BaseException as error:
        _mend(error)
        raise


def command_key(args: Iterable[Any]) -> list[object]:
    """Return what a command asks: its name and arguments, without passwords.

    Args:
        args: as they are given to `execute_command`, the name first.
    """
    parts = [_part(one) for one in args]
    if parts and str(parts[0]).upper().split(" ", 1)[0] in _SECRET:
        return parts[:1] + ["***"] * (len(parts) > 1)
    return parts


def in_database(client: Any, asked: Sequence[object]) -> list[object]:
    """Return a key with the database's number before it, unless that is 0.

    Args:
        client: has a `connection_pool`.
        asked: what is asked.
    """
    options = getattr(client.connection_pool, "connection_kwargs", None) or {}
    number = options.get("db")
    return [{"db": number}, *asked] if number else list(asked)


def note_watch(pipeline: Any, name: object) -> None:
    """Have a pipeline know, on replay, that a command began or ended its watching."""
    if name in pipeline.UNWATCH_COMMANDS:
        pipeline.watching = False
    elif name == "WATCH":
        pipeline.watching = True


def _pack(reply: Any) -> object:
    if type(reply) is not list:
        return reply
    return [
        PackedException(pack_exception(one)) if isinstance(one, BaseException) else one
        for one in reply
    ]


def _unpack(reply: Any) -> Any:
    if type(reply) is list:
        return [_unpack(one) for one in reply]
    if isinstance(reply, PackedException):
        return _mend(unpack_exception(reply.packed, _allowed()))
    # The application may change what it gets, and not the recording.
    return copy.deepcopy(reply) if type(reply) in (dict, set, tuple) else reply


def _mend(error: BaseException) -> BaseException:
    """Give an error that was built again its `error_type`, which was kept as plain text."""
    kept = getattr(error, "error_type", None)  # since redis-py 7
    if isinstance(kept, str) and not isinstance(kept, enum.Enum):
        with contextlib.suppress(AttributeError, ValueError):
            kinds = sys.modules[type(error).__module__].ExceptionType
            error.error_type = kinds(kept)  # type: ignore[attr-defined]
    return error


def _allowed() -> dict[str, type[BaseException]]:
    modules = [sys.modules[name] for name in _EXCEPTIONS if name in sys.modules]
    classes = [one for module in modules for one in vars(module).values()]
    return {
        f"{cls.__module__}.{cls.__qualname__}": cls
        for cls in classes
        if isinstance(cls, type) and issubclass(cls, BaseException)
    }


def _part(value: Any) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        if not isinstance(value, bytes | bytearray | memoryview):
            return f"<{type(value).__module__}.{type(value).__qualname__}>"
        value = bytes(value)
    if isinstance(value, int | float) or len(value) <= _LONG_BYTES:
        return value
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return checksum_of(data)
