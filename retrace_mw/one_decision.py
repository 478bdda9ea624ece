"""One decision: of a request that passes from one protocol into the other within the process.

An application of WSGI within one of ASGI gets an environ that an adapter makes (a2wsgi, asgiref,
Starlette); nothing in it tells that the request was decided on. The context does, which each
adapter carries into the thread or loop that serves it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from retrace_core.http_exchange import UNRECORDED

if TYPE_CHECKING:
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


class left_unrecorded:  # noqa: N801  # used as a function
    """Have it known within the block that a request is not recorded.

    Every such request passes here, so it is no generator, which would take thrice as long.

    Args:
        protocol: by which it came in.
        view: what its calls hand on, None for nothing.
    """

    __slots__ = ("_decided", "_protocol", "_token", "_view")

    def __init__(self, protocol: str, view: RequestView | None) -> None:
        self._protocol = protocol
        self._view = view

    def __enter__(self) -> None:
        self._decided = _DECIDED_IN.set(self._protocol) if len(SPOKEN) > 1 else None
        self._token = UNRECORDED.set(self._view) if self._view is not None else None

    def __exit__(self, *_: object) -> None:
        try:
            if self._decided is not None:
                _DECIDED_IN.reset(self._decided)
            if self._token is not None:
                UNRECORDED.reset(self._token)
        except ValueError:  # set in another context: that one is gone with its task
            if self._decided is not None:
                _DECIDED_IN.set("")
            if self._token is not None:
                UNRECORDED.set(None)
