"""Protocol: PostgreSQL's messages, as the server sends them, from recorded results.

Source: PostgreSQL 15 documentation, chapters 55.2 and 55.7 (protocol 3.0).
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

__all__ = ["CANCELED", "Result", "followed", "message", "sent", "setting"]

# ExecStatus of libpq
EMPTY_QUERY, COMMAND_OK, TUPLES_OK, COPY_OUT, COPY_IN = 0, 1, 2, 3, 4
FATAL_ERROR, SINGLE_TUPLE, PIPELINE_SYNC, PIPELINE_ABORTED, TUPLES_CHUNK = 7, 9, 10, 11, 12
# PGTransactionStatusType of libpq
IDLE, ACTIVE, INTRANS, INERROR, UNKNOWN = 0, 1, 2, 3, 4
STATE = {IDLE: b"I", INTRANS: b"T", INERROR: b"E"}


class Result(NamedTuple):
    """One result as libpq has it; recorded as a list of these fields."""

    status: int
    columns: Any = ()
    """(name, table, its column, type, size, modifier, format) of each."""
    rows: Any = ()
    """Cells as the server sent them, None for NULL."""
    tag: bytes = b""
    error: Any = None
    """Field code -> text, for an error."""


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return one message of the protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def described(columns: Any) -> bytes:
    """Return the message that describes a result's columns."""
    parts = [struct.pack("!H", len(columns))]
    for name, table, place, oid, size, modifier, form in columns:
        parts += (name, b"\0", struct.pack("!IhIhih", table, place, oid, size, modifier, form))
    return message(b"T", b"".join(parts))


def row(cells: Any) -> bytes:
    """Return the message that holds one row."""
    parts = [struct.pack("!H", len(cells))]
    for cell in cells:
        if cell is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts += (struct.pack("!I", len(cell)), cell)
    return message(b"D", b"".join(parts))


def sent(result: Result, *, first: bool = True) -> bytes:
    """Return the messages by which libpq makes this result; see `ready` for what ends them.

    Args:
        result: what was recorded.
        first: False for a further part of a result that is read row by row.
    """
    status, columns, rows, tag, error = result
    if status == FATAL_ERROR:
        fields = b"".join(bytes((int(code),)) + text + b"\0" for code, text in error.items())
        return message(b"E", fields + b"\0")
    if status in (COPY_IN, COPY_OUT):
        formats = [column[6] for column in columns]
        layout = struct.pack(f"!bH{len(formats)}h", int(any(formats)), len(formats), *formats)
        return message(b"G" if status == COPY_IN else b"H", layout)
    if status == EMPTY_QUERY:
        return message(b"I")
    if status == PIPELINE_ABORTED:
        return b""  # libpq makes these by itself after an error
    if status == COMMAND_OK and columns:
        return described(columns)  # of a portal that was described
    parts = [described(columns)] if status != COMMAND_OK and first else []
    parts += map(row, rows)
    if status in (COMMAND_OK, TUPLES_OK):
        parts.append(message(b"C", tag + b"\0"))
    return b"".join(parts)


TAGS = {"BEGIN": INTRANS, "START": INTRANS, "COMMIT": IDLE, "END": IDLE, "ROLLBACK": IDLE}
TAGS["ABORT"] = IDLE
"""The transaction's state after a statement, by the first word of its tag."""

CANCELED = Result(
    FATAL_ERROR,
    error={
        ord("S"): b"ERROR",
        ord("V"): b"ERROR",
        ord("C"): b"57014",
        ord("M"): b"canceling statement due to user request",
    },
)


def followed(state: int, result: Result) -> int:
    """Return the transaction's state after a statement had this result."""
    if result.status == FATAL_ERROR:
        return INERROR if state in (INTRANS, INERROR) else IDLE
    if result.status == COMMAND_OK:
        return TAGS.get(result.tag.split(b" ", 1)[0].decode(), state)
    return state


def setting(name: str, value: str | None) -> bytes:
    """Return the message that reports a setting."""
    return message(b"S", b"%s\0%s\0" % (name.encode(), (value or "").encode()))
