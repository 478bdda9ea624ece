"""Parameters: what a statement's key has of them, adapted by the application's own adapters."""

from __future__ import annotations

import datetime
import sqlite3
from typing import Any

__all__ = ["adapted"]

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
