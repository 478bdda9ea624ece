"""MySQL Connector/Python's pool for asyncio: a connection is taken and given back in turn.

Whether it is opened, pinged or opened again depends on the process's past and is no event.
Hooks: `MySQLConnectionPool.initialize_pool`, `get_connection`, `PooledMySQLConnection.close`.
Read in 9.4 and 26.10.
"""

from __future__ import annotations

from typing import Any

from mysql.connector.aio.pooling import MySQLConnectionPool, PooledMySQLConnection

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.waited import waited
from retrace_core.databases.mysql.connector_connections import setting_up_async


def _any(*_: Any) -> None:
    """A pool may be of any time: its connections are looked at."""


BOUNDARY = Boundary(
    kind="mysqlconnector",
    supports="mysql-connector-python>=9.4",
    hooks=(
        Patch(
            MySQLConnectionPool, "initialize_pool", setting_up_async("mysqlconnector.pool", _any)
        ),
        Patch(
            MySQLConnectionPool,
            "get_connection",
            waited("mysqlconnector.acquire", in_turn_first=True),
        ),
        Patch(PooledMySQLConnection, "close", waited("mysqlconnector.release")),
    ),
    errors=("mysql.connector.errors",),
)
