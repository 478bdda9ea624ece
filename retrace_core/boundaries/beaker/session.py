"""Beaker: which session a signed cookie names comes from the recording; a masked one names none.

The name of the session is no secret, as nobody can sign it, and stands in the paths of its file.

Hooks: `SignedCookie.value_decode`. Read in Beaker 1.14. Not covered: sessions that
lie in the cookie itself (`session.type = cookie`), which a masked one says nothing of.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from beaker.session import SignedCookie

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.checking import secret, takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(decode: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `value_decode`, which gives what a cookie says, and the cookie."""

    @functools.wraps(decode)
    def value_decode(cookie: Any, value: Any) -> Any:
        lane = current()
        if lane is None or not takes_part(lane):
            return decode(cookie, value)

        def said() -> Any:
            found = decode(cookie, value)[0]
            return found if isinstance(found, str) else None

        answer = call_free(lane, "free.beaker.cookie", [secret(value)], said)
        return decode(cookie, value) if answer is None else (answer, value)

    return value_decode


BOUNDARY = Boundary(
    kind="beaker",
    supports="beaker>=1.10",
    hooks=(Patch(SignedCookie, "value_decode", _hooked),),
)
