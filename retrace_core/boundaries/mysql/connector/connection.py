"""MySQL Connector/Python without its C extension: the server's packets, below cursors.

Hooks: of `MySQLConnection` `connect` and `_open_connection`; `cmd_query`, `cmd_stmt_prepare`,
`cmd_stmt_execute` and `_send_cmd`, which ask; `get_rows` and `_handle_result`, which read on; what
sets a connection up; `MySQLSocket.recv`, which gives the packets. On replay the driver itself
reads the recorded packets. Read in 9.4 and 26.10.
"""

from __future__ import annotations

from typing import Any

from mysql.connector.connection import MySQLConnection
from mysql.connector.network import MySQLSocket
from mysql.connector.protocol import MySQLProtocol

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mysql.connector_connections import (
    SETTING_UP_BY_PACKETS,
    connecting,
    mode_known,
    numbering,
    opening,
    setting,
    setting_up,
    telling,
)
from retrace_core.databases.mysql.connector_exchanges import (
    asking,
    command,
    executed,
    further,
    loading,
    noting_statement,
    prepared,
    queried,
    statistics,
)
from retrace_core.databases.mysql.connector_sockets import (
    Facts,
    SyncStub,
    facts_of,
    noting_packets,
    stub_of,
)
from retrace_core.databases.mysql.packets import CAPABILITIES, UTF8MB4, VERSION
from retrace_core.masked import masked

_KIND = "mysqlconnector"


def _open_stub(connection: Any, facts: Facts) -> None:
    address = connection._unix_socket or f"{connection._host}:{connection._port}"
    connection._protocol = MySQLProtocol()
    connection._socket = stub = SyncStub(facts, address)
    connection._do_handshake()
    connection.converter_class = connection._converter_class
    stub.feed(b"")


BOUNDARY = Boundary(
    kind=_KIND,
    supports="mysql-connector-python>=9.4",
    hooks=(
        Patch(
            MySQLConnection,
            "connect",
            connecting(_KIND, facts_of, [VERSION, CAPABILITIES, UTF8MB4]),
        ),
        Patch(MySQLConnection, "_open_connection", opening(_open_stub)),
        Patch(MySQLConnection, "cmd_query", asking(queried)),
        Patch(
            MySQLConnection,
            "cmd_stmt_prepare",
            lambda original: noting_statement(asking(prepared)(original)),
        ),
        Patch(MySQLConnection, "cmd_stmt_execute", asking(executed)),
        Patch(MySQLConnection, "_send_cmd", asking(command)),
        Patch(MySQLConnection, "cmd_statistics", asking(statistics)),
        Patch(MySQLConnection, "get_rows", asking(further)),
        Patch(MySQLConnection, "_handle_result", asking(further)),
        Patch(MySQLConnection, "_handle_load_data_infile", loading),
        *(
            Patch(MySQLConnection, name, setting_up(f"{_KIND}.{name}", stub_of))
            for name in SETTING_UP_BY_PACKETS
        ),
        Patch(MySQLConnection, "autocommit", setting(f"{_KIND}.autocommit", stub_of)),
        Patch(MySQLConnection, "sql_mode", mode_known(f"free.{_KIND}.sql_mode", stub_of)),
        Patch(MySQLConnection, "is_connected", telling(f"{_KIND}.lost", stub_of)),
        Patch(MySQLConnection, "close", masked),
        Patch(MySQLConnection, "disconnect", masked),
        Patch(MySQLConnection, "connection_id", numbering(f"{_KIND}.id", stub_of)),
        Patch(MySQLSocket, "recv", noting_packets),
        Patch(MySQLSocket, "shutdown", masked),  # also by the collector, at any time
        Patch(MySQLSocket, "close_connection", masked),
    ),
    errors=("mysql.connector.errors",),
)
