"""psycopg2's results to plain data: read from the PGresult that a cursor holds, before any cast.

libpq's functions are those which psycopg2's own extension module is linked with.
"""

from __future__ import annotations

import ctypes
from typing import Any

from psycopg2 import _psycopg

from retrace_core.databases.postgresql.backend import SESSION
from retrace_core.databases.postgresql.protocol import COMMAND_OK, FATAL_ERROR

__all__ = ["error_fields", "result_of", "session_of"]

_DIAGNOSTICS = {
    "S": "severity",
    "V": "severity_nonlocalized",
    "C": "sqlstate",
    "M": "message_primary",
    "D": "message_detail",
    "H": "message_hint",
    "P": "statement_position",
    "p": "internal_position",
    "q": "internal_query",
    "W": "context",
    "s": "schema_name",
    "t": "table_name",
    "c": "column_name",
    "d": "datatype_name",
    "n": "constraint_name",
    "F": "source_file",
    "L": "source_line",
    "R": "source_function",
}

# Loaded by its path, the module finds the symbols of what it was linked with, too.
_library = ctypes.PyDLL(_psycopg.__file__)


def _function(name: str, restype: Any, numbers: int) -> Any:
    function = getattr(_library, name)
    function.restype = restype
    function.argtypes = [ctypes.c_void_p] + [ctypes.c_int] * numbers
    return function


_status = _function("PQresultStatus", ctypes.c_int, 0)
_nfields = _function("PQnfields", ctypes.c_int, 0)
_ntuples = _function("PQntuples", ctypes.c_int, 0)
_tag = _function("PQcmdStatus", ctypes.c_char_p, 0)
_text = _function("PQgetvalue", ctypes.c_char_p, 2)
_isnull = _function("PQgetisnull", ctypes.c_int, 2)
_column = (
    _function("PQfname", ctypes.c_char_p, 1),
    _function("PQftable", ctypes.c_uint, 1),
    _function("PQftablecol", ctypes.c_int, 1),
    _function("PQftype", ctypes.c_uint, 1),
    _function("PQfsize", ctypes.c_int, 1),
    _function("PQfmod", ctypes.c_int, 1),
    _function("PQfformat", ctypes.c_int, 1),
)


def result_of(cursor: Any) -> list[Any]:
    """Return the result that a cursor holds, as the fields of a `Result`."""
    pointer = cursor.pgresult_ptr
    if pointer is None:
        return [COMMAND_OK, [], [], (cursor.statusmessage or "").encode(), None]
    width = range(_nfields(pointer))
    columns = [tuple(read(pointer, n) for read in _column) for n in width]
    rows = [[_cell(pointer, at, n) for n in width] for at in range(_ntuples(pointer))]
    return [_status(pointer), columns, rows, _tag(pointer), None]


def _cell(pointer: int, at: int, n: int) -> bytes | None:
    # psycopg2 asks for text only, in which there is no null byte.
    value: bytes = _text(pointer, at, n)
    return value if value or not _isnull(pointer, at, n) else None


def error_fields(error: Any) -> list[Any]:
    """Return an error that the server reported, as the fields of a `Result`."""
    diag = error.diag
    fields = {
        ord(code): value.encode()
        for code, name in _DIAGNOSTICS.items()
        if (value := getattr(diag, name, None)) is not None
    }
    return [FATAL_ERROR, [], [], b"", fields]


def session_of(connection: Any) -> list[str | None]:
    """Return the values of the settings that the server reported."""
    return [connection.get_parameter_status(name) for name in SESSION]
