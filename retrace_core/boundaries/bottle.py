"""Bottle: what a signed cookie says comes from the recording; a masked one says nothing.

Hook: `BaseRequest.get_cookie` with a secret. What is said is recorded where it is plain (texts,
numbers, lists and dictionaries of such). Read in Bottle 0.12 and 0.13.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from bottle import BaseRequest

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.checking import secret as masked
from retrace_core.crypto.checking import takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_NOTHING: Any = object()


def _hooked(get_cookie: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get_cookie)
    def reading(
        self: Any, key: Any, default: Any = None, secret: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        lane = current()
        given = self.cookies.get(key) if secret and lane is not None else None
        if lane is None or not given or not takes_part(lane):
            return get_cookie(self, key, default, secret, *args, **kwargs)
        read: list[Any] = []

        def said() -> list[Any] | None:
            found = get_cookie(self, key, _NOTHING, secret, *args, **kwargs)
            read.append(found)
            return [found] if _is_plain(found) else None

        says = call_free(lane, "free.bottle.cookie", [key, masked(given)], said)
        if read:
            return default if read[0] is _NOTHING else read[0]
        if says is None:
            return get_cookie(self, key, default, secret, *args, **kwargs)
        return says[0]

    return reading


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    return value is None or type(value) in (str, bytes, int, float, bool)


BOUNDARY = Boundary(
    kind="bottle",
    supports="bottle>=0.12",
    hooks=(Patch(BaseRequest, "get_cookie", _hooked),),
)
