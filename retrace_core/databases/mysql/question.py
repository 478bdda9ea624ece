"""Question: what is asked of a MySQL server, as a key."""

from __future__ import annotations

from typing import Any

from retrace_core.generated_names import without_generated_names

__all__ = ["NEXT", "question_of"]

NEXT = "next"
"""The key of reading on: a further result, further rows."""


def question_of(command: int, sql: Any) -> list[Any]:
    """Return a command of the protocol and its text: the same for the same question."""
    text = sql if isinstance(sql, str) else bytes(sql).decode("utf-8", "backslashreplace")
    return [command, without_generated_names(text)]
