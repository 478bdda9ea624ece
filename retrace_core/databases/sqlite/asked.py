"""Asked: what a database or a statement of APSW's says of itself, as events."""

from __future__ import annotations

import functools
from typing import Any

from retrace_core.native import current

__all__ = ["asked"]


def asked(own: Any, kind: str) -> Any:
    """Return what replaces an attribute or a method: in a scope its answers are events.

    Args:
        own: descriptor of the class in C; what replaces it is of a subclass that has `_asked`.
        kind: of the events.
    """
    if not callable(own):

        def read(self: Any) -> Any:
            lane = current()
            if lane is None:
                return own.__get__(self)
            return self._asked(lane, kind, None, functools.partial(own.__get__, self))

        return property(read)

    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return own(self, *args, **kwargs)
        key = [args, kwargs] if args or kwargs else None
        return self._asked(lane, kind, key, functools.partial(own, self, *args, **kwargs))

    return method
