"""MySQL Connector/Python's pool: a connection is taken and given back in recorded turn.

Whether it is opened, pinged or opened again depends on the process's past and is no event; that
none is left is one. Hooks: `MySQLConnectionPool.__init__`, `get_connection`,
`PooledMySQLConnection.close`. Read in 9.4 and 26.10.
"""

from __future__ import annotations

from typing import Any

from mysql.connector.pooling import MySQLConnectionPool, PooledMySQLConnection

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mysql.connector_connections import giving, setting_up, taking


def _any(*_: Any) -> None:
    """A pool may be of any time: its connections are looked at."""


BOUNDARY = Boundary(
    kind="mysqlconnector",
    supports="mysql-connector-python>=9.4",
    hooks=(
        Patch(MySQLConnectionPool, "__init__", setting_up("mysqlconnector.pool", _any)),
        Patch(MySQLConnectionPool, "get_connection", taking("mysqlconnector.acquire")),
        Patch(PooledMySQLConnection, "close", giving("mysqlconnector.release")),
    ),
    errors=("mysql.connector.errors",),
)
