"""asyncpg's answers: the server's messages that its protocol object reads on replay.

Source: PostgreSQL 15 documentation, chapters 55.2 and 55.7 (protocol 3.0).
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NOTHING",
    "SESSION",
    "asked_sql",
    "described",
    "error_fields",
    "failed",
    "neutral",
    "ready",
    "status",
    "welcome",
]

SESSION: dict[str, str] = {
    "server_version": "15.0",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "is_superuser": "off",
    "in_hot_standby": "off",
    "default_transaction_read_only": "off",
}
"""What a server says of itself to each new connection, where nothing else was recorded."""

NOTHING: dict[str, Any] = {"params": [], "columns": [], "types": []}
"""The description of a statement that takes and gives nothing."""

_GENERATED = re.compile(r"\b__asyncpg_([a-z]+)_[0-9a-f]+__")
_STATES = {"BEGIN": "T", "START": "T", "COMMIT": "I", "END": "I", "ROLLBACK": "I", "ABORT": "I"}
_TEXT = 25
_WELL_KNOWN = {
    "select pg_catalog.version()": "PostgreSQL 15.0 on a recording",
    "select current_schema()": "public",
    "show transaction isolation level": "read committed",
    "show standard_conforming_strings": "on",
}


def asked_sql(sql: str) -> str:
    """Return a statement as a key: names that asyncpg numbers process-wide without number."""
    return _GENERATED.sub(r"__asyncpg_\1__", sql)


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def ready(state: str) -> bytes:
    """Return the message that ends an exchange; I: idle, T: in a transaction, E: a failed one."""
    return _message(b"Z", state.encode())


def welcome(session: Mapping[str, str]) -> bytes:
    """Return what a server says when it lets a connection in."""
    said = [_message(b"R", struct.pack("!I", 0))]
    said += [
        _message(b"S", b"%s\0%s\0" % (name.encode(), value.encode()))
        for name, value in session.items()
    ]
    said += [_message(b"K", struct.pack("!II", 1, 1)), ready("I")]
    return b"".join(said)


def described(description: Mapping[str, Any]) -> bytes:
    """Return the answer to preparing a statement, which is not followed by `ready`.

    Args:
        description: "params", their type ids, and "columns", name and type id of each.
    """
    params, columns = description["params"], description["columns"]
    asked = struct.pack(f"!H{len(params)}I", len(params), *params)
    given = _message(b"n")
    if columns:
        parts = [struct.pack("!H", len(columns))]
        for name, oid in columns:
            parts += (name.encode(), b"\0", struct.pack("!IhIhih", 0, 0, oid, -1, -1, 0))
        given = _message(b"T", b"".join(parts))
    return _message(b"1") + _message(b"t", asked) + given


def error_fields(error: Any) -> dict[str, str]:
    """Return field code -> text of an error that the server has sent."""
    meta: Any = type(type(error))
    names: dict[str, str] = meta._field_map
    texts = ((code, getattr(error, name, None)) for code, name in names.items())
    return {code: str(text) for code, text in texts if text is not None}


def failed(fields: Mapping[str, str], state: str) -> bytes:
    """Return the answer that is an error."""
    body = b"".join(code.encode() + text.encode() + b"\0" for code, text in fields.items())
    return _message(b"E", body + b"\0") + ready("I" if state == "I" else "E")


def status(tag: str, state: str) -> bytes:
    """Return the answer to a statement that gives no rows."""
    return _message(b"C", tag.encode() + b"\0") + ready(state)


def neutral(sql: str, state: str) -> tuple[dict[str, Any], bytes]:
    """Return (description, answer) for a statement that nothing was recorded of.

    Such are a pool's pings and resets, and what an ORM asks of each new connection.
    """
    text = sql.strip().rstrip(";").strip()
    word = text.split(None, 1)[0].upper() if text else ""
    value = _WELL_KNOWN.get(" ".join(text.lower().split()))
    if value is not None:
        cell = struct.pack("!HI", 1, len(value.encode())) + value.encode()
        columns = {**NOTHING, "columns": [["value", _TEXT]]}
        return columns, _message(b"D", cell) + status("SELECT 1", state)
    if word in _STATES and not text.upper().startswith(("ROLLBACK TO", "ROLLBACK PREPARED")):
        state = _STATES[word]
    return NOTHING, status("SELECT 0" if word in ("SELECT", "SHOW", "WITH") else word, state)
