"""APSW: statements, fetches, transactions, through subclasses of its classes.

Hooks: `apsw.Connection` and `apsw.Cursor` are the subclasses, also outside a scope: a cursor may
be made at start-up and be used in a request. On replay a connection is a private memory database:
what runs outside a lane runs on it for real, what runs inside a lane is answered from the
recording. So with fastlite and apswutils, which stand on it. Read in APSW 3.54.
"""

from __future__ import annotations

from typing import Any

import apsw

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.sqlite.apsw_connection import ApswConnection
from retrace_core.databases.sqlite.apsw_cursor import ApswCursor


def _connection(_: Any) -> Any:
    return ApswConnection


def _cursor(_: Any) -> Any:
    return ApswCursor


BOUNDARY = Boundary(
    kind="apsw",
    supports="apsw>=3.46",
    hooks=(Patch(apsw, "Connection", _connection), Patch(apsw, "Cursor", _cursor)),
    errors=("apsw",),
)
