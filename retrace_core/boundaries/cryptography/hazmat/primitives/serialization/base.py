"""cryptography's reading of keys: a private key that is masked is another of its kind on replay.

What it signs comes from the recording. Its public half is the true one, where that was told.

Hooks: `load_pem_private_key`. Read in cryptography 45 and 50.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

from cryptography.hazmat.primitives.serialization import base

from retrace_core.boundary import Boundary, Patch, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane


def _reading(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def load(data: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or lane.mode != REPLAY:
            return original(data, *args, **options)
        try:
            return original(data, *args, **options)
        except ValueError:
            if not getattr(cast("Lane", lane).scope, "is_masked", False):
                raise
            from retrace_core.crypto.stand_in_key import stand_in_key  # for replays alone

            with mask():
                key = stand_in_key(bytes(data))
            if key is None:
                raise
            return key

    return load


BOUNDARY = Boundary(
    kind="cryptography.serialization",
    supports="cryptography>=42",
    hooks=(Patch(base, "load_pem_private_key", _reading),),
)
