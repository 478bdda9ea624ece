"""Statements: how they are told apart in keys, and the answer where none was recorded."""

from __future__ import annotations

from typing import Any, Protocol

from retrace_core.databases.postgresql.backend import SESSION
from retrace_core.databases.postgresql.protocol import (
    COMMAND_OK,
    EMPTY_QUERY,
    TAGS,
    TUPLES_OK,
    Result,
)
from retrace_core.generated_names import without_generated_names

__all__ = ["NEUTRAL", "asked_sql", "neutral"]

NEUTRAL: Any = object()
"""The answer to a statement that nothing was recorded of, because it is no request's."""


class Server(Protocol):
    """The server's end of a connection on replay."""

    @property
    def state(self) -> int:
        """The transaction's."""
        ...

    @property
    def session(self) -> tuple[Any, ...]:
        """Values of the settings in `SESSION`."""
        ...


def asked_sql(sql: bytes) -> str:
    """Return a statement as part of a key: as it is, but generated names are left out."""
    return without_generated_names(sql.decode("utf-8", "backslashreplace"))


def neutral(sql: bytes, backend: Server) -> tuple[Result, int]:
    """Return (result, state of the transaction) for a statement that nothing was recorded of.

    Such are a pool's pings, and what a driver or an ORM asks of each new connection.
    """
    text = sql.decode("utf-8", "replace").strip().rstrip(";").strip()
    lower = text.lower()
    word = text.split(None, 1)[0].upper() if text else ""
    if not word:
        return Result(EMPTY_QUERY), backend.state
    if word in TAGS and not lower.startswith(("rollback to", "rollback prepared")):
        return Result(COMMAND_OK, tag=b"ROLLBACK" if word == "ABORT" else word.encode()), TAGS[word]
    if word in ("SELECT", "SHOW", "FETCH", "WITH", "VALUES"):
        value = _well_known(lower, backend)
        if value is None:
            return Result(TUPLES_OK, tag=b"SELECT 0"), backend.state
        column = (b"?column?", 0, 0, 25, -1, -1, 0)
        return Result(TUPLES_OK, [column], [[value.encode()]], b"SELECT 1"), backend.state
    return Result(COMMAND_OK, tag=word.encode()), backend.state


def _well_known(lower: str, backend: Server) -> str | None:
    settings: dict[str, str] = {
        name.lower(): value for name, value in zip(SESSION, backend.session, strict=True)
    }
    if lower.startswith("show "):
        name = lower[5:].strip()
        shown = {"transaction isolation level": "read committed", **settings}
        shown["transaction_isolation"] = shown["default_transaction_isolation"] = "read committed"
        return shown.get(name, "")
    if lower.startswith("select") and "version()" in lower:
        return f"PostgreSQL {settings['server_version']} on a recording"
    if lower.startswith("select") and "current_schema()" in lower:
        return "public"
    return "1" if lower == "select 1" else None
