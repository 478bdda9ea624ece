"""httpx and httpx2: the trace's headers are in a request while it is sent, and not after.

So the request is the application's own again when it looks at it, and at its end httpx looks for
cookies in no more headers than it had. They go into `Headers._list`, past `headers[name] = ...`,
which finds out the encoding of all of them each time. Read in httpx 0.28 and httpx2 2.16.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["sent", "sent_async"]

_Fields = list[tuple[bytes, bytes, bytes]]
"""Of headers: (name, name in lower case, value) of each."""


def sent(carried: Iterable[tuple[str, str]], transport: Any, request: Any, original: Any) -> Any:
    """Return what `original(transport, request)` does, the trace's headers among those sent.

    Args:
        carried: (name, value) of each; what the request has stays as it is.
        transport, request, original: a transport's method and what it gets.
    """
    added = _put_in(carried, request)
    try:
        return original(transport, request)
    finally:
        _take_out(added, request)


async def sent_async(
    carried: Iterable[tuple[str, str]], transport: Any, request: Any, original: Any
) -> Any:
    """Return what `await original(transport, request)` does; else as `sent`."""
    added = _put_in(carried, request)
    try:
        return await original(transport, request)
    finally:
        _take_out(added, request)


def _put_in(carried: Iterable[tuple[str, str]], request: Any) -> _Fields:
    added: _Fields = []
    try:  # not the gate, whose with-block each call would pay
        fields: _Fields = request.headers._list
        given = {lowered for _, lowered, _ in fields}
        for name, value in carried:
            raw, lowered = _encoded(name)
            if lowered not in given:
                added.append((raw, lowered, value.encode("latin-1")))
        fields += added
    except Exception as error:
        failsafe.report("carry the trace", error)
        return []
    return added


def _take_out(added: _Fields, request: Any) -> None:
    if added:
        fields: _Fields = request.headers._list
        if fields[-len(added) :] == added:
            del fields[-len(added) :]
            return
        names = {lowered for _, lowered, _ in added}
        fields[:] = [field for field in fields if field[1] not in names]


@functools.lru_cache(64)
def _encoded(name: str) -> tuple[bytes, bytes]:
    """Return a header's name as it is sent, and in lower case."""
    return name.encode("latin-1"), name.lower().encode("latin-1")
