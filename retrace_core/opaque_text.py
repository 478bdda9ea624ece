"""Opaque text: tells an object that can't be recorded from others, and runs none of its code.

What an application writes in `__repr__` may ask a database: Django's models say `str(self)` there,
and that may follow a foreign key; one of SQLAlchemy's that has expired is loaded again.
"""

from __future__ import annotations

import datetime
import functools
import zlib
from contextlib import suppress
from decimal import Decimal
from types import FunctionType, MemberDescriptorType, MethodType
from typing import Any
from uuid import UUID

__all__ = ["opaque_text"]

_LIMIT = 200
_PLAIN = frozenset(
    (str, bytes, int, float, bool, type(None), Decimal, UUID, datetime.date, datetime.datetime)
)
_NESTS = (MethodType, functools.partial, functools.partialmethod, BaseException)
"""Written in C, and says what is in it."""


def opaque_text(value: Any) -> str:
    """Return a `repr` that is the interpreter's own; else a number made of plain attributes."""
    kind: Any = type(value)
    if _is_harmless(kind):
        return repr(value)[:_LIMIT]
    state = _plain_state(value, kind)
    if not state:
        return f"<{kind.__qualname__}>"
    return f"<{kind.__qualname__} {zlib.crc32(repr(state).encode('utf-8', 'replace')):08x}>"


@functools.lru_cache(512)
def _is_harmless(kind: type) -> bool:
    shown = next(vars(base)["__repr__"] for base in kind.__mro__ if "__repr__" in vars(base))
    holds = any("__len__" in vars(base) for base in kind.__mro__)
    return not (isinstance(shown, FunctionType) or holds or issubclass(kind, _NESTS))


def _plain_state(value: Any, kind: type) -> list[tuple[str, object]]:
    found: dict[str, object] = {}
    if isinstance(value, BaseException):
        found["args"] = repr([arg for arg in value.args if type(arg) in _PLAIN])
    for base in kind.__mro__:
        for name, slot in vars(base).items():
            if isinstance(slot, MemberDescriptorType):
                try:
                    found[name] = slot.__get__(value, kind)
                except AttributeError:  # it is not set
                    continue
    with suppress(AttributeError):
        found.update(object.__getattribute__(value, "__dict__"))
    plain = [name for name, one in found.items() if type(one) in _PLAIN]
    return [(name, found[name]) for name in sorted(plain)]
