"""MySQL Connector/Python for asyncio: the server's packets, below cursors.

The hooks are those of the blocking connection in Python, and `connect`, which opens and sets up.
Read in 9.4 and 26.10.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from mysql.connector.aio.connection import MySQLConnection
from mysql.connector.aio.network import MySQLSocket

from retrace_core.boundary import (
    Boundary,
    Patch,
    attempt_async,
    call_async,
    in_replay,
    mask,
    on_boot_tape,
)
from retrace_core.concurrency.waited import waited
from retrace_core.databases.mysql.connector_connections import (
    SETTING_UP_BY_PACKETS,
    mode_known_async,
    numbering,
    setting_up_async,
    telling_async,
    where,
)
from retrace_core.databases.mysql.connector_exchanges import (
    asking_async,
    command,
    executed,
    further,
    loading_async,
    noting_statement_async,
    prepared,
    queried,
    statistics,
)
from retrace_core.databases.mysql.connector_sockets import (
    AsyncStub,
    Facts,
    facts_of,
    noting_packets_async,
    stub_of,
)
from retrace_core.databases.mysql.packets import CAPABILITIES, UTF8MB4, VERSION
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_KIND = "mysqlconnector"
_CONNECT, _STARTUP = "mysqlconnector.connect", "mysqlconnector.startup"
_known: dict[str, Facts] = {}
"""Server address and database -> what the server says first."""


async def _facts(key: list[str], known: Callable[[], Facts]) -> Facts:
    async def knowing() -> Facts:
        return known()

    lane = current()
    return known() if lane is None else await call_async(lane, _STARTUP, key, knowing)


def _hooked_connect(connect: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(connect)
    async def connecting(self: Any) -> None:
        lane, key = current(), where(self, {})

        async def live() -> None:
            with on_boot_tape(_CONNECT, key):
                with mask():
                    await connect(self)
                own = facts_of(self)
                _known[repr(key)] = await _facts(key, lambda: own)

        if not in_replay():
            return await (live() if lane is None else attempt_async(lane, _CONNECT, key, live))
        if lane is not None:
            await attempt_async(lane, _CONNECT, key, live)
        with on_boot_tape(_CONNECT, key):
            default = [VERSION, CAPABILITIES, UTF8MB4]
            facts = await _facts(key, lambda: _known.get(repr(key), default))
            with mask():
                await _connect_stub(self, facts)
        return None

    return connecting


async def _connect_stub(connection: Any, facts: Facts) -> None:
    address = connection._unix_socket or f"{connection._host}:{connection._port}"
    connection._socket = stub = AsyncStub(facts, address)
    await connection._do_handshake()
    connection.converter_class = connection._converter_class
    stub.feed(b"")
    await connection._post_connection()


BOUNDARY = Boundary(
    kind=_KIND,
    supports="mysql-connector-python>=9.4",
    hooks=(
        Patch(MySQLConnection, "connect", _hooked_connect),
        Patch(MySQLConnection, "cmd_query", asking_async(queried)),
        Patch(
            MySQLConnection,
            "cmd_stmt_prepare",
            lambda original: noting_statement_async(asking_async(prepared)(original)),
        ),
        Patch(MySQLConnection, "cmd_stmt_execute", asking_async(executed)),
        Patch(MySQLConnection, "_send_cmd", asking_async(command)),
        Patch(MySQLConnection, "cmd_statistics", asking_async(statistics)),
        Patch(MySQLConnection, "get_rows", asking_async(further)),
        Patch(MySQLConnection, "_handle_result", asking_async(further)),
        Patch(MySQLConnection, "_handle_load_data_infile", loading_async),
        *(
            Patch(MySQLConnection, name, setting_up_async(f"{_KIND}.{name}", stub_of))
            for name in (*SETTING_UP_BY_PACKETS, "set_autocommit")
        ),
        Patch(MySQLConnection, "get_sql_mode", mode_known_async(f"free.{_KIND}.sql_mode", stub_of)),
        Patch(MySQLConnection, "is_connected", telling_async(f"{_KIND}.lost", stub_of)),
        Patch(MySQLConnection, "close", waited("mysqlconnector.close")),
        Patch(MySQLConnection, "disconnect", waited("mysqlconnector.close")),
        Patch(MySQLConnection, "connection_id", numbering(f"{_KIND}.id", stub_of)),
        Patch(MySQLSocket, "read", noting_packets_async),
    ),
    errors=("mysql.connector.errors",),
)
