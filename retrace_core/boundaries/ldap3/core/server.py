"""ldap3: which number a message to the directory has; what is said is read from its sockets.

The numbers are counted for the whole process: without the requests before it, a replayed one
would send others, and take no recorded answer for its own.

Hooks: `Server.next_message_id`. Read in ldap3 2.9.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ldap3.core.server import Server

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _next_message_id(original: Callable[[], int]) -> Any:
    @functools.wraps(original)
    def next_message_id() -> int:
        lane = current()
        return original() if lane is None else call(lane, "ldap3.message_id", None, original)

    return staticmethod(next_message_id)


BOUNDARY = Boundary(
    kind="ldap3",
    supports="ldap3>=2.9",
    hooks=(Patch(Server, "next_message_id", _next_message_id),),
)
