"""Cells: what converters and text factories of the application's make of a column's bytes.

What they make may be of any class. Therefore the bytes are recorded, and the application's
function is called on them outside SQLite: while recording and on replay in the same way. In a
recorded row such a cell is a tuple, which SQLite itself never gives: (converter, bytes), and
(None, bytes) for a text.
"""

from __future__ import annotations

import functools
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.databases.sqlite.callbacks import is_the_applications

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["cooked", "cooks", "hooked_register", "raw", "unwrap_converters", "wrap_converters"]

_converters: dict[str, Callable[[bytes], Any]] = {}
_thread = threading.local()
_KNOWN_TEXT = (str, bytes, bytearray)


def cooks(detects: bool, text_factory: Any) -> bool:
    """Return True when cells of a connection may be made by the application.

    Args:
        detects: the connection looks at the types of its columns.
        text_factory: what makes its texts.
    """
    return (detects and bool(_converters)) or text_factory not in _KNOWN_TEXT


def raw(connection: Any, live: Callable[..., Any], *args: Any) -> Any:
    """Return what `live` fetches, with raw cells where the application would make them."""
    factory = connection.text_factory
    if factory not in _KNOWN_TEXT:
        connection.text_factory = _raw_text
    _thread.is_raw = True
    try:
        return live(*args)
    finally:
        _thread.is_raw = False
        connection.text_factory = factory


def cooked(rows: list[Any], text_factory: Callable[[bytes], Any]) -> Iterator[Any]:
    """Yield recorded rows as the application's functions make them."""
    for row in rows:
        if tuple in map(type, row):
            yield tuple(_cook(cell, text_factory) for cell in row)
        else:
            yield row


def _cook(cell: Any, text_factory: Callable[[bytes], Any]) -> Any:
    if type(cell) is not tuple:
        return cell
    name, data = cell
    return text_factory(data) if name is None else _converters.get(name, bytes)(data)


def _raw_text(data: bytes) -> Any:
    return (None, data)


def _wrapped(name: str, convert: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    name = name.upper()
    if not is_the_applications(convert):
        _converters.pop(name, None)
        return convert
    _converters[name] = convert

    def converted(data: bytes) -> Any:
        return (name, data) if getattr(_thread, "is_raw", False) else convert(data)

    return converted


def hooked_register(register: Callable[..., None]) -> Callable[..., None]:
    """Return `sqlite3.register_converter` such that what it registers can be told to wait."""

    @functools.wraps(register)
    def registering(name: Any, converter: Any, /) -> None:
        wrapped = _wrapped(name, converter) if isinstance(name, str) else converter
        register(name, wrapped)

    return registering


def wrap_converters() -> None:
    """Wrap the converters that are registered already."""
    for name, convert in list(sqlite3.converters.items()):
        sqlite3.converters[name] = _wrapped(name, convert)


def unwrap_converters() -> None:
    """Put the application's own converters back."""
    sqlite3.converters.update(_converters)
    _converters.clear()
