"""One decision: of a request that passes from one protocol into the other within the process.

An application of WSGI within one of ASGI gets an environ that an adapter makes (a2wsgi, asgiref,
Starlette); nothing in it tells that the request was decided on. The context does, which each
adapter carries into the thread or loop that serves it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contextvars import Token

__all__ = ["ASGI", "SPOKEN", "WSGI", "decided", "is_decided", "over"]

ASGI: Final = "asgi"
WSGI: Final = "wsgi"

SPOKEN: set[str] = set()
"""The protocols of the applications that this process may have recorded: of one alone, no request
passes into the other, and no context is set, which is the dearest step of an unrecorded one."""

_DECIDED_IN: ContextVar[str] = ContextVar("retrace_decided_in", default="")


def is_decided(protocol: str) -> bool:
    """Return True for a request that came in by the other protocol, and was decided on there.

    Ask only where both are spoken.
    """
    return _DECIDED_IN.get() not in ("", protocol)


def decided(protocol: str) -> Token[str]:
    """Have it known in this context that a request was decided on; returns what `over` needs.

    Args:
        protocol: by which it came in.
    """
    return _DECIDED_IN.set(protocol)


def over(token: Token[str]) -> None:
    """Forget it again."""
    try:
        _DECIDED_IN.reset(token)
    except ValueError:  # set in another context: that one is gone with its task
        _DECIDED_IN.set("")
