"""aiomysql: what the server says, as it comes, below results, converters and cursors.

Hooks: `Connection._connect`, with `_open_connection` and `_open_unix_connection` below it;
`_execute_command`, which sends; what reads an answer, whose outcome are the bytes that
`_read_bytes` gives meanwhile; the pool's acquire, release and close. Read in aiomysql 0.3.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from aiomysql import connection as connections
from aiomysql import pool

from retrace_core.boundary import (
    Boundary,
    Hook,
    Patch,
    attempt_async,
    call_async,
    in_replay,
    on_boot_tape,
)
from retrace_core.concurrency.waited import waited
from retrace_core.databases.mysql.exchanges import (
    answer_from,
    executing_async,
    noting_bytes_async,
    reading_async,
)
from retrace_core.databases.mysql.packets import VERSION
from retrace_core.databases.mysql.stub import Answers, StubReader, StubWriter
from retrace_core.masked import masked
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CONNECT, _STARTUP, _READ = "aiomysql.connect", "aiomysql.startup", "aiomysql.read"
_versions: dict[str, str] = {}
"""Server address and database -> the server's version."""
_opening: ContextVar[Answers | None] = ContextVar("opening", default=None)
"""Where the answers come from of a stub that connects."""


def _where(connection: Any) -> list[str]:
    """Return what is connected to, as a key: no password, no user."""
    place = connection._unix_socket or connection._host
    return [str(place), str(connection._port), str(connection._db or "")]


def _hooked_connect(connect: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(connect)
    async def connecting(self: Any) -> None:
        lane, key = current(), _where(self)

        async def version(known: Callable[[], str]) -> str:
            async def knowing() -> str:
                return known()

            lane = current()
            return known() if lane is None else await call_async(lane, _STARTUP, key, knowing)

        async def live() -> None:
            with on_boot_tape(_CONNECT, key):
                await connect(self)
                _versions[repr(key)] = await version(lambda: str(self.server_version))

        async def stub() -> None:
            with on_boot_tape(_CONNECT, key):
                answers = Answers(await version(lambda: _versions.get(repr(key), VERSION)))
                answer_from(self, answers)
                token = _opening.set(answers)
                try:
                    await connect(self)
                finally:
                    _opening.reset(token)

        replayed = in_replay()
        if lane is not None:
            await attempt_async(lane, _CONNECT, key, live)
        elif not replayed:
            await live()
        if replayed:
            await stub()

    return connecting


def _hooked_open(opened: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(opened)
    async def opening(*args: Any, **kwargs: Any) -> Any:
        answers = _opening.get()
        if answers is None:
            return await opened(*args, **kwargs)
        return StubReader(answers), StubWriter(answers)

    return opening


def _no_key(*_: Any) -> None:
    return None


_Connection, _Result = connections.Connection, connections.MySQLResult

BOUNDARY = Boundary(
    kind="aiomysql",
    supports="aiomysql>=0.2",
    hooks=(
        Patch(_Connection, "_connect", _hooked_connect),
        Patch(connections, "_open_connection", _hooked_open),
        Patch(connections, "_open_unix_connection", _hooked_open),
        Patch(_Connection, "_execute_command", executing_async("aiomysql.send")),
        Patch(_Connection, "_read_bytes", noting_bytes_async),
        Patch(_Connection, "_read_ok_packet", reading_async(_READ)),
        Patch(_Result, "read", reading_async(_READ)),
        Patch(_Result, "init_unbuffered_query", reading_async(_READ)),
        Patch(_Result, "_read_rowdata_packet_unbuffered", reading_async(_READ)),
        Patch(_Result, "_finish_unbuffered_query", reading_async(_READ)),
        Hook(owner=_Connection, name="thread_id", key=_no_key),
        Patch(pool.Pool, "_acquire", waited("aiomysql.acquire", in_turn_first=True)),
        Patch(pool.Pool, "release", masked),
        Patch(pool.Pool, "wait_closed", waited("aiomysql.pool_close")),
    ),
    errors=("pymysql.err",),
)
