"""WebOb: what a signed cookie says comes from the recording; a masked one says nothing.

So Pyramid's sessions that lie in a cookie (`SignedCookieSessionFactory`). What is recorded is the
serializer's text, with the secrets in it masked; on replay the serializer reads that text again.

Hooks: `SignedSerializer.loads`. Read in WebOb 1.8.
"""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING, Any

from webob.cookies import SignedSerializer

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.checking import secret, takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 64 * 1024
"""A cookie has 4 KiB; what is larger is read as ever."""


def _hooked(loads: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `loads`, which gives what a signed text says."""

    @functools.wraps(loads)
    def reading(serializer: Any, text: Any) -> Any:
        lane = current()
        if lane is None or not takes_part(lane) or len(text) > _LARGEST:
            return loads(serializer, text)

        read: list[Any] = []

        def said() -> bytes | None:
            try:
                read.append(loads(serializer, text))
            except Exception:  # noqa: BLE001  # raised again below, past the recording
                return None
            signed = text.encode("latin-1") if isinstance(text, str) else bytes(text)
            whole = base64.urlsafe_b64decode(signed + b"=" * (-len(signed) % 4))
            return whole[serializer.digest_size :]

        says = call_free(lane, "free.webob.cookie", [secret(text)], said)
        if read:
            return read[0]
        return loads(serializer, text) if says is None else serializer.serializer.loads(says)

    return reading


BOUNDARY = Boundary(
    kind="webob",
    supports="webob>=1.3",
    hooks=(Patch(SignedSerializer, "loads", _hooked),),
)
