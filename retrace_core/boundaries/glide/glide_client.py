"""valkey-glide: commands, batches and scripts, whose answers come from a core in Rust.

Hooks: `BaseClient._execute_command`, `_execute_batch` and `_execute_script`, to which all methods
come, `create`, which connects, and `close`. Messages of subscriptions are in none. Read in
valkey-glide 2.6.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from glide.glide_client import BaseClient
from glide_shared.exceptions import ClosingError
from glide_shared.request_type import RequestType

from retrace_core.boundary import Boundary, Patch, attempt_async, call_async, in_replay, mask
from retrace_core.codec import PackedException, pack_exception, unpack_exception
from retrace_core.databases.redis.commands import command_key
from retrace_core.installer import allowed_errors
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]

_SECRET = ("Auth", "Hello", "AclSetUser", "ConfigSet")
"""Commands whose arguments may be passwords."""


def _command(request_type: int, args: Any) -> list[object]:
    name = RequestType.Name(request_type)
    if name == "CustomCommand":
        return [name, *command_key(args)]
    return [name, "***"] if name in _SECRET else [name, *args]


def _batch(commands: Any, is_atomic: bool, *_: Any, **__: Any) -> list[object]:
    return [is_atomic, [_command(*one) for one in commands]]


def _one(request_type: int, args: Any, *_: Any, **__: Any) -> list[object]:
    return _command(request_type, args)


def _script(hash: str, keys: Any = None, args: Any = None, *_: Any, **__: Any) -> list[object]:  # noqa: A002  # its name there
    return [hash, list(keys or ()), list(args or ())]


def _packed(answer: Any) -> Any:
    """Return an answer as a value: a batch may have errors among its answers."""
    if type(answer) is list:
        return [_packed(one) for one in answer]
    return PackedException(pack_exception(answer)) if isinstance(answer, BaseException) else answer


def _unpacked(kept: Any) -> Any:
    if type(kept) is list:
        return [_unpacked(one) for one in kept]
    if isinstance(kept, PackedException):
        return unpack_exception(kept.packed, allowed_errors())
    # The application may change what it gets, and not the recording.
    return kept.copy() if isinstance(kept, dict | set) else kept


def _hooked(kind: str, asked: Callable[..., object]) -> Callable[[Async], Async]:
    def hook(original: Async) -> Async:
        @functools.wraps(original)
        async def execute(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            live = functools.partial(original, self, *args, **options)
            if lane is not None:
                key = asked(*args, **options)
                return await call_async(lane, kind, key, live, _packed, _unpacked)
            if in_replay():
                raise ClosingError("no server is connected in a replay")
            return await live()

        return execute

    return hook


def _hooked_create(original: Any) -> Any:
    create: Async = original.__func__

    @functools.wraps(create)
    async def creating(cls: Any, config: Any) -> Any:
        lane = current()
        if lane is not None:
            live = functools.partial(create, cls, config)
            return await attempt_async(
                lane, "glide.connect", None, live, lambda: _stub(cls, config)
            )
        return _stub(cls, config) if in_replay() else await create(cls, config)

    return classmethod(creating)


def _stub(cls: Any, config: Any) -> Any:
    """Return a client with no connection."""
    with mask():
        made = cls(config)
        made._create_pid = os.getpid()
        made._core_client_finalizer = None
    return made


def _hooked_close(original: Async) -> Async:
    @functools.wraps(original)
    async def close(self: Any, *args: Any, **options: Any) -> None:
        with mask():
            await original(self, *args, **options)

    return close


BOUNDARY = Boundary(
    kind="glide",
    supports="valkey-glide>=2.6",
    hooks=(
        Patch(BaseClient, "create", _hooked_create),
        Patch(BaseClient, "_execute_command", _hooked("glide.command", _one)),
        Patch(BaseClient, "_execute_batch", _hooked("glide.batch", _batch)),
        Patch(BaseClient, "_execute_script", _hooked("glide.script", _script)),
        Patch(BaseClient, "close", _hooked_close),
    ),
    errors=("glide_shared.exceptions",),
)
