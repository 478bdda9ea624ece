"""itsdangerous: what the session of a Flask application says, where it is compressed.

Hooks: `URLSafeSerializerMixin.dump_payload` and `load_payload`. Read in itsdangerous 2.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from itsdangerous.url_safe import URLSafeSerializerMixin

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.signed_payloads import unpacked, written

if TYPE_CHECKING:
    from collections.abc import Callable


def _dumping(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def dump_payload(self: Any, obj: Any) -> bytes:
        above: Any = super(URLSafeSerializerMixin, self)  # what makes the text that is packed
        return written(
            functools.partial(above.dump_payload, obj), functools.partial(original, self, obj)
        )

    return dump_payload


def _loading(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def load_payload(self: Any, payload: bytes, *args: Any, **options: Any) -> Any:
        return original(self, unpacked(payload), *args, **options)

    return load_payload


BOUNDARY = Boundary(
    kind="itsdangerous.url_safe",
    supports="itsdangerous>=2",
    hooks=(
        Patch(URLSafeSerializerMixin, "dump_payload", _dumping),
        Patch(URLSafeSerializerMixin, "load_payload", _loading),
    ),
)
