"""Declared key: what a call of a declared boundary asks, the same again in another process."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from retrace_core import codec, failsafe
from retrace_core.declared.switch import PLAIN, holds_opaque

__all__ = ["Asking", "asking", "settled"]

Asking = Callable[[tuple[Any, ...], dict[str, Any]], object]
"""Gets the arguments of a call; returns its key, and never raises."""

_RECEIVERS = ("self", "cls")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_REPR_LIMIT = 500
_DEEPEST = 12


def asking(kind: str, function: Callable[..., Any], key: Callable[..., object] | None) -> Asking:
    """Return what makes the key of each call of `function`.

    Args:
        kind: of the boundary, for the reader of a fault.
        function: the declared one.
        key: the author's; default: all arguments by their names, without `self` or `cls`.
    """
    make = (lambda args, kwargs: key(*args, **kwargs)) if key is not None else _by_name(function)

    def asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        try:
            return settled(make(args, kwargs))
        except Exception as error:  # noqa: BLE001  # of the author's code: told, once
            failsafe.report(f"key of {kind}", error)
            return f"<no key: {type(error).__name__}>"  # the same on replay

    return asked


def _by_name(function: Callable[..., Any]) -> Asking:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function in C may have none
        return _by_place
    first = next(iter(signature.parameters), "")
    receiver = first if first in _RECEIVERS else ""

    def named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # the call will fail in the same way
            return _by_place(args[1:] if receiver else args, kwargs)
        bound.apply_defaults()
        bound.arguments.pop(receiver, None)
        return bound.arguments

    return named


def _by_place(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    return [list(args), kwargs]


def settled(value: Any, depth: int = 0) -> object:
    """Return a value such that it can be recorded, and is the same in another process.

    What can't be recorded stands there by its type and its repr, without addresses.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if depth > _DEEPEST:
        return f"<{kind.__module__}.{kind.__qualname__}, too deep>"
    if kind in (list, tuple, set, frozenset):
        return kind(settled(one, depth + 1) for one in value)
    if kind is dict:
        return {settled(name, depth + 1): settled(one, depth + 1) for name, one in value.items()}
    if not holds_opaque(codec.decode(codec.encode(value))):
        return value
    try:
        text = _ADDRESS.sub("", repr(value))[:_REPR_LIMIT]
    except Exception:  # noqa: BLE001  # of the application's own
        text = ""
    return f"<{kind.__module__}.{kind.__qualname__} {text}>"
