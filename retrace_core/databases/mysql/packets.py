"""Packets: the server's greeting, and its answers where nothing was recorded.

Source: MySQL 8.0 internals manual, "Client/Server Protocol": handshake v10, OK, EOF,
column definition 41, text result row.
"""

from __future__ import annotations

import struct

__all__ = ["CAPABILITIES", "UTF8MB4", "VERSION", "greeting", "neutral", "ok", "status_after"]

VERSION = "8.0.36"
"""What the server says it is, where nothing else was recorded."""

_AUTOCOMMIT, _IN_TRANSACTION = 2, 1
CAPABILITIES = 0x00FFF7DF & ~0x0800 & ~0x0020
"""All of a common server's, but TLS and compression."""
UTF8MB4 = 45
"""The number of a character set, with a way to collate."""
_VAR_STRING = 253
_QUERY = 3
_READING = ("SELECT", "SHOW", "WITH", "DESCRIBE", "DESC", "EXPLAIN")
_WELL_KNOWN = {
    "select @@transaction_isolation": "REPEATABLE-READ",
    "select @@tx_isolation": "REPEATABLE-READ",
    "select @@sql_mode": "",
    "select @@session.sql_mode": "",
    "select @@lower_case_table_names": "0",
    "select version()": VERSION,
    "select 1": "1",
}


def _packet(sequence: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([sequence % 256]) + body


def _text(value: bytes) -> bytes:
    return bytes([len(value)]) + value  # short ones only


def greeting(version: str, capabilities: int = CAPABILITIES, charset: int = UTF8MB4) -> bytes:
    """Return what a server says first, and that it lets the client in."""
    low, high = capabilities & 0xFFFF, capabilities >> 16 & 0xFFFF
    body = b"\x0a" + version.encode("latin1") + b"\0" + struct.pack("<I", 1) + b"salt1234\0"
    body += struct.pack("<HBHHB", low, charset, _AUTOCOMMIT, high, 21) + bytes(10)
    body += b"salt12345678\0mysql_native_password\0"
    return _packet(0, body) + ok(2, _AUTOCOMMIT)


def ok(sequence: int, status: int) -> bytes:
    """Return the packet of a statement that went well and gives no rows."""
    return _packet(sequence, b"\0\0\0" + struct.pack("<HH", status, 0))


def status_after(sql: str, status: int) -> int:
    """Return the flags of a connection after a statement that nothing was recorded of."""
    text = " ".join(sql.upper().replace("=", " = ").split())
    if text.startswith("SET AUTOCOMMIT"):
        on = text.rstrip(";").split()[-1] in ("1", "ON", "TRUE")
        return status | _AUTOCOMMIT if on else status & ~_AUTOCOMMIT
    if text.startswith(("BEGIN", "START TRANSACTION")):
        return status | _IN_TRANSACTION
    if text.startswith(("COMMIT", "ROLLBACK")) and not text.startswith("ROLLBACK TO"):
        return status & ~_IN_TRANSACTION
    return status


def neutral(command: int, sql: str, status: int, *, without_eof: bool = False) -> bytes:
    """Return the answer to what nothing was recorded of.

    Such are a pool's pings, and what a driver or an ORM asks of each new connection.

    Args:
        command: number of the protocol's command.
        sql: the statement, for a query.
        status: flags of the connection as they were.
        without_eof: True where client and server have agreed on CLIENT_DEPRECATE_EOF: nothing
            stands between columns and rows, and an OK packet is at the end.
    """
    status = status_after(sql, status)
    words = sql.strip().lstrip("(").split(None, 1)
    if command != _QUERY or not words or words[0].upper() not in _READING:
        return ok(1, status)
    value = _WELL_KNOWN.get(" ".join(sql.lower().rstrip("; \n").split()))
    end = b"\xfe" + struct.pack("<HH", 0, status)
    column = b"".join(map(_text, (b"def", b"", b"", b"", b"value", b""))) + b"\x0c"
    column += struct.pack("<HIBHBH", UTF8MB4, 255, _VAR_STRING, 0, 0, 0)
    bodies = [b"\x01", column]
    if without_eof:
        end = b"\xfe\0\0" + struct.pack("<HH", status, 0)
    else:
        bodies.append(end)
    bodies += [] if value is None else [_text(value.encode())]
    return b"".join(_packet(1 + place, body) for place, body in enumerate([*bodies, end]))
