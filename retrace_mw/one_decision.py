"""One decision: of a request that passes from one protocol into the other within the process.

An application of WSGI within one of ASGI gets an environ that an adapter makes (a2wsgi, asgiref,
Starlette); nothing in it tells that the request was decided on. The context does, which each
adapter carries into the thread or loop that serves it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from retrace_core.http_exchange import UNRECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_mw.request import RequestView

__all__ = ["ASGI", "SPOKEN", "WSGI", "is_decided", "left_unrecorded"]

ASGI: Final = "asgi"
WSGI: Final = "wsgi"

SPOKEN: set[str] = set()
"""The protocols of the applications that this process may have recorded: of one alone, no request
passes into the other, and no context is set, which is the dearest step of an unrecorded one."""

_DECIDED_IN: ContextVar[str] = ContextVar("retrace_decided_in", default="")


def is_decided(protocol: str) -> bool:
    """Return True for a request that came in by the other protocol, and was decided on there."""
    return len(SPOKEN) > 1 and _DECIDED_IN.get() not in ("", protocol)


@contextmanager
def left_unrecorded(protocol: str, view: RequestView | None) -> Iterator[None]:
    """Have it known while the block runs that a request is not recorded.

    Args:
        protocol: by which it came in.
        view: what its calls hand on, None for nothing.
    """
    decided = _DECIDED_IN.set(protocol)
    token = UNRECORDED.set(view) if view is not None else None
    try:
        yield
    finally:
        try:
            _DECIDED_IN.reset(decided)
            if token is not None:
                UNRECORDED.reset(token)
        except ValueError:  # set in another context: that one is gone with its task
            _DECIDED_IN.set("")
            if token is not None:
                UNRECORDED.set(None)
