"""Parameters: what a statement's key has of them, adapted by the application's own adapters."""

from __future__ import annotations

import datetime
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["adapted", "raising", "used_up"]

_PLAIN = frozenset(
    (int, float, str, bytes, bytearray, bool, type(None), datetime.date, datetime.datetime)
)


def adapted(parameters: Any) -> Any:
    """Return parameters whose values SQLite knows, so that they are compared, and adapted once.

    What an adapter asks of the world is an event of the request; inside SQLite it would be none.
    """
    if type(parameters) in (tuple, list):
        if _PLAIN.issuperset(map(type, parameters)):
            return parameters
        return tuple(_adapt(value) for value in parameters)
    if type(parameters) is dict and not _PLAIN.issuperset(map(type, parameters.values())):
        return {name: _adapt(value) for name, value in parameters.items()}
    return parameters


def _adapt(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    return sqlite3.adapt(value, sqlite3.PrepareProtocol, value)


def used_up(rows: Any) -> tuple[list[Any], Exception | None]:
    """Return what an iterable gives, and the error that it ends with."""
    found: list[Any] = []
    try:
        for row in rows:
            found.append(adapted(row))  # noqa: PERF401  # what came before an error counts
    except Exception as error:  # noqa: BLE001  # raised again, after the rows before it
        return found, error
    return found, None


def raising(error: Exception) -> Iterator[Any]:
    """Raise an error when iterated over."""
    yield from ()
    raise error
