"""PyMySQL: what the server says, as it comes, below results, converters and cursors.

Hooks: `Connection.connect`; `Connection._execute_command`, which sends; what reads an answer
(`MySQLResult.read`, row by row for unbuffered cursors, `Connection._read_ok_packet`), whose
outcome are the bytes that `_read_bytes` gives meanwhile. On replay PyMySQL itself reads the
recorded bytes. Read in PyMySQL 1.1 and 1.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pymysql import connections

from retrace_core.boundary import Boundary, Hook, Patch, call, connected, on_boot_tape
from retrace_core.databases.mysql.exchanges import answer_from, executing, noting_bytes, reading
from retrace_core.databases.mysql.packets import VERSION
from retrace_core.databases.mysql.stub import Answers, StubSocket
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT, _STARTUP = "pymysql.connect", "pymysql.startup"
_versions: dict[str, str] = {}
"""Server address and database -> the server's version."""


def _where(connection: Any) -> list[str]:
    """Return what is connected to, as a key: no password, no user."""
    database = connection.db.decode() if isinstance(connection.db, bytes) else connection.db
    place = connection.unix_socket or connection.host
    return [str(place), str(connection.port), str(database or "")]


def _hooked_connect(connect: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(connect)
    def connecting(self: Any, sock: Any = None) -> None:
        lane, key = current(), _where(self)

        def version(known: Callable[[], str]) -> str:
            lane = current()
            return known() if lane is None else call(lane, _STARTUP, key, known)

        def live() -> None:
            with on_boot_tape(_CONNECT, key):
                connect(self, sock)
                _versions[repr(key)] = version(lambda: str(self.server_version))

        def stub() -> None:
            with on_boot_tape(_CONNECT, key):
                answers = Answers(version(lambda: _versions.get(repr(key), VERSION)))
                answer_from(self, answers)
                self.ssl = False
                connect(self, StubSocket(answers))

        connected(lane, _CONNECT, key, live, stub)

    return connecting


def _no_key(*_: Any) -> None:
    return None


_Connection, _Result = connections.Connection, connections.MySQLResult
_READ = "pymysql.read"

BOUNDARY = Boundary(
    kind="pymysql",
    supports="pymysql>=1.1",
    hooks=(
        Patch(_Connection, "connect", _hooked_connect),
        Patch(_Connection, "_execute_command", executing("pymysql.send")),
        Patch(_Connection, "_read_bytes", noting_bytes),
        Patch(_Connection, "_read_ok_packet", reading(_READ)),
        Patch(_Result, "read", reading(_READ)),
        Patch(_Result, "init_unbuffered_query", reading(_READ)),
        Patch(_Result, "_read_rowdata_packet_unbuffered", reading(_READ)),
        Patch(_Result, "_finish_unbuffered_query", reading(_READ)),
        Hook(owner=_Connection, name="thread_id", key=_no_key),
    ),
    errors=("pymysql.err",),
)
