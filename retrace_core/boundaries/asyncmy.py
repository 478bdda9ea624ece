"""asyncmy: what the server says, as it comes, below results, converters and cursors in C.

Hooks: `Connection.connect`; `_execute_command`, which sends; `_fill_buffer`, where all readers of
the driver wait for bytes, which are the outcome; the protocol's buffer, so that none arrives
without a wait; the cache of prepared statements; the pool's acquire and release. The driver looks
whether these are its own, and takes no way past them in C where they are not. On replay it reads
the recorded bytes itself. Read in asyncmy 0.2.18.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from asyncmy import connection, errors, pool

from retrace_core.boundary import (
    Boundary,
    Hook,
    Patch,
    attempt_async,
    call_async,
    in_replay,
    mask,
    on_boot_tape,
    record_error,
    spoil,
)
from retrace_core.concurrency.waited import waited
from retrace_core.databases.mysql.arrivals import (
    StubTransport,
    end_of_packets,
    feed,
    hold,
    holding_buffer,
    holding_update,
    release,
    unread,
)
from retrace_core.databases.mysql.packets import VERSION
from retrace_core.databases.mysql.question import NEXT, question_of
from retrace_core.errors import LiveCallRefused
from retrace_core.masked import masked
from retrace_core.native import REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

connections: Any = connection  # in Cython, and described in part
_CONNECT, _STARTUP = "asyncmy.connect", "asyncmy.startup"
_SEND, _READ = "asyncmy.send", "asyncmy.read"
_PREPARE, _UNPREPARED = "asyncmy.prepare", "asyncmy.unprepared"
_EXECUTE, _BULK_EXECUTE, _CLOSE_STATEMENT = 0x17, 0xFA, 0x19
_ASKED, _STATEMENTS = "_retrace_asked", "_retrace_statements"
_PARAMETERS = "_retrace_parameters"
_OURS = 1 << 31
"""The number of a statement that replay has prepared itself, and those that follow."""

_Facts = list[Any]
_FACTS = {
    "server_version": VERSION,
    "server_status": 2,
    "server_capabilities": 0,
    "server_language": 45,
    "server_charset": "utf8mb4",
    "protocol_version": 10,
    "_deprecate_eof": True,
    "_mariadb_ext_caps": 0,
    "_bulk_supported": False,
}
"""What client and server have agreed on, and what it is where nothing was recorded: how the
bytes are to be read depends on it."""
_known: dict[str, _Facts] = {}
"""Server address and database -> the facts."""


def _where(connection: Any) -> list[str]:
    """Return what is connected to, as a key: no password, no user."""
    database = connection._db
    database = database.decode() if isinstance(database, bytes) else database
    place = connection._unix_socket or connection._host
    return [str(place), str(connection._port), str(database or "")]


def _stub_of(connection: Any) -> StubTransport | None:
    found = connection._transport
    return found if isinstance(found, StubTransport) else None


def _connect_stub(connection: Any, facts: _Facts) -> None:
    for name, fact in zip(_FACTS, facts, strict=True):
        setattr(connection, name, fact)
    connection.server_thread_id = (0,)
    connection.host_info = f"socket {connection._host}:{connection._port}"
    connection._close_reason = None
    connection._stmt_cache.clear()
    connection._proto = protocol = connections._MySQLProtocol(connection._loop)
    connection._transport = StubTransport(connection, protocol)
    protocol.connection_made(connection._transport)
    connection._connected = True


def _hooked_connect(connect: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(connect)
    async def connecting(self: Any) -> Any:
        if self._connected:
            return await connect(self)
        lane, key = current(), _where(self)

        async def facts(known: Callable[[], _Facts]) -> _Facts:
            async def knowing() -> _Facts:
                return known()

            lane = current()
            return known() if lane is None else await call_async(lane, _STARTUP, key, knowing)

        async def live() -> None:
            with on_boot_tape(_CONNECT, key):
                with mask():
                    await connect(self)
                own = [getattr(self, name) for name in _FACTS]
                _known[repr(key)] = await facts(lambda: own)

        if not in_replay():
            return await (live() if lane is None else attempt_async(lane, _CONNECT, key, live))
        if lane is not None:
            await attempt_async(lane, _CONNECT, key, live)
        with on_boot_tape(_CONNECT, key):
            default = list(_FACTS.values())
            _connect_stub(self, await facts(lambda: _known.get(repr(key), default)))
        return None

    return connecting


def _question(connection: Any, command: int, sql: Any) -> list[Any]:
    if command in (_EXECUTE, _BULK_EXECUTE):  # a statement's number differs from run to run
        number = int.from_bytes(sql[:4], "little")
        return [
            command,
            _statements(connection).get(number, ""),
            connection.__dict__.pop(_PARAMETERS, None),
        ]
    if command == _CLOSE_STATEMENT:
        return [command, _statements(connection).pop(int.from_bytes(sql[:4], "little"), "")]
    return question_of(command, sql)


def _statements(connection: Any) -> dict[int, str]:
    found: dict[int, str] = connection.__dict__.setdefault(_STATEMENTS, {})
    return found


def _refuse(connection: Any, lane: Any, kind: str) -> StubTransport | None:
    """Return the stub that answers; None for a live connection, which no replay may use."""
    stub = _stub_of(connection)
    if lane is not None and (lane.mode == REPLAY) != (stub is not None):
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")
    return stub


def _lose(connection: Any, error: BaseException) -> None:
    """Close a stub, as the live connection was."""
    with mask():
        if isinstance(error, asyncio.CancelledError):
            connection._close_on_cancel()
        elif "read timeout" in str(error):
            connection.close()
        else:
            connection._transport.close()


def _hooked_execute(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def executing(self: Any, command: int, sql: Any) -> Any:
        lane: Any = current()
        if not self._connected:
            return await original(self, command, sql)
        if lane is None and _stub_of(self) is None:
            if command == _CLOSE_STATEMENT:
                _question(self, command, sql)
            release(self._proto)
            return await original(self, command, sql)
        question, start_ns = _question(self, command, sql), now_ns()
        stub = _refuse(self, lane, _SEND)
        if stub is not None and lane is not None and lane.scope.failure_comes(lane, _SEND):
            self.close()
            await lane.scope.answer_async(lane, _SEND, question)
        try:
            await original(self, command, sql)
        except Exception as error:
            if lane is not None and stub is None and not self._connected:
                record_error(lane, _SEND, question, error, start_ns)
            raise
        self.__dict__[_ASKED] = question
        if stub is not None:
            stub.asked = (command, question[1])
        return None

    return executing


def _hooked_fill(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(original)
    async def filling(self: Any, need: int) -> None:
        lane: Any = current()
        protocol = self._proto
        stub = _refuse(self, lane, _READ)
        if stub is None and (lane is None or protocol is None):
            release(protocol)
            if protocol is None or unread(protocol) < need:
                await original(self, need)
            return
        if stub is not None:
            if lane is None:
                feed(protocol, stub.neutral())
            else:
                await _replay_fill(self, lane, stub)
            if unread(protocol) < need:
                raise LiveCallRefused(_READ, "a server, for more than was recorded")
            return
        had = unread(protocol)

        async def live() -> bytes:
            release(protocol)
            if unread(protocol) < need:
                await original(self, need)
            while not (end := end_of_packets(protocol, need)):
                await original(self, unread(protocol) + 1)
            hold(protocol, end)
            return bytes(protocol.buffer[protocol.pos + had : end])

        await call_async(lane, _READ, self.__dict__.pop(_ASKED, NEXT), live)

    return filling


async def _replay_fill(connection: Any, lane: Any, stub: StubTransport) -> None:
    async def unrecorded() -> bytes:
        return stub.neutral()

    protocol, key = connection._proto, connection.__dict__.pop(_ASKED, NEXT)
    try:
        said = await call_async(lane, _READ, key, unrecorded)
    except (errors.MySQLError, asyncio.CancelledError) as error:
        _lose(connection, error)
        raise
    feed(protocol, said)


def _hooked_prepare(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def preparing(self: Any, query: Any) -> Any:
        statement = await original(self, query)
        text = query if isinstance(query, str) else bytes(query).decode(errors="backslashreplace")
        _statements(self)[statement._statement_id] = text
        return statement

    return preparing


def _hooked_acquire(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return what prepares a statement unless the connection's cache has it: no event."""

    @functools.wraps(original)
    async def acquiring(self: Any, query: str, nargs: int) -> Any:
        lane: Any = current()
        stub, start_ns = _refuse(self, lane, _PREPARE), now_ns()
        if stub is not None:
            return await _replay_prepare(self, lane, query, nargs)
        live = functools.partial(original, self, query, nargs)
        if lane is not None:
            await _read_left(self)
        statement = await (live() if lane is None else attempt_async(lane, _PREPARE, query, live))
        if statement is not None:
            _statements(self)[statement._statement_id] = query
        elif lane is not None:
            try:
                lane.record(_UNPREPARED, query, RETURNED, None, start_ns)
            except Exception as fault:  # noqa: BLE001  # whatever it is, the request goes on
                spoil(lane, _UNPREPARED, fault)
        return statement

    return acquiring


async def _read_left(connection: Any) -> None:
    """Read the further results of the statement before, as the driver would as it prepares one.

    On replay nothing is prepared, and they are read as the next statement is sent.
    """
    result = connection._result
    while result is not None and not result.unbuffered_active and result.has_next:
        await connection.next_result()
        result = connection._result


async def _replay_prepare(connection: Any, lane: Any, query: str, nargs: int) -> Any:
    async def nothing() -> None:
        return None

    if lane is None:
        return None
    if lane.scope.failure_comes(lane, _PREPARE):
        await lane.scope.answer_async(lane, _PREPARE, query)
    if lane.scope.comes_next(lane, _UNPREPARED):
        return await call_async(lane, _UNPREPARED, query, nothing)
    statements, cache = _statements(connection), connection._stmt_cache
    if query not in cache:
        number = max([_OURS, *statements]) + 1
        cache[query] = connections.PreparedStatement(connection, number, nargs)
        statements[number] = query
    return cache[query]


def _noting_parameters(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return the same, which notes the parameters: below, they are packed.

    It is another function, too: with it, cursors wait where all others do.
    """

    @functools.wraps(original)
    async def executing(self: Any, args: Any = ()) -> Any:
        if self._connection is not None and (current() or in_replay()):
            self._connection.__dict__[_PARAMETERS] = list(args) if _is_row(args) else [args]
        return await original(self, args)

    return executing


def _is_row(args: Any) -> bool:
    return isinstance(args, list | tuple)


def _no_key(*_: Any) -> None:
    return None


_Connection, _Protocol = connections.Connection, connections._MySQLProtocol

BOUNDARY = Boundary(
    kind="asyncmy",
    supports="asyncmy>=0.2.18",
    hooks=(
        Patch(_Connection, "connect", _hooked_connect),
        Patch(_Connection, "_execute_command", _hooked_execute),
        Patch(_Connection, "_fill_buffer", _hooked_fill),
        Patch(_Connection, "prepare", _hooked_prepare),
        Patch(_Connection, "_acquire_cached_statement", _hooked_acquire),
        Patch(_Connection, "ensure_closed", waited("asyncmy.close")),
        Patch(connections.PreparedStatement, "execute", _noting_parameters),
        Patch(connections.PreparedStatement, "execute_bulk", _noting_parameters),
        Patch(_Protocol, "get_buffer", holding_buffer),
        Patch(_Protocol, "buffer_updated", holding_update),
        Hook(owner=_Connection, name="thread_id", key=_no_key),
        Patch(pool.Pool, "_acquire", waited("asyncmy.acquire", in_turn_first=True)),
        Patch(pool.Pool, "release", masked),
        Patch(pool.Pool, "wait_closed", waited("asyncmy.pool_close")),
    ),
    errors=("asyncmy.errors",),
)
