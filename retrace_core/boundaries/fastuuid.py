"""fastuuid: ids with random parts and times in them, made in native code.

What they are is entropy: one id more or less is no divergence, as with those of `uuid`.

Hooks: all functions that draw (`uuid1`, `uuid_v1mc`, `uuid4`, `uuid7`, and the three that make
many at once). Read in fastuuid 0.14.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import fastuuid

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_DRAW = ("uuid1", "uuid_v1mc", "uuid4", "uuid4_bulk", "uuid4_as_strings_bulk")
_DRAW_TIMED = ("uuid7", "uuid7_bulk", "uuid7_as_strings_bulk")  # since 0.14


def _encode(made: Any) -> object:
    if isinstance(made, list):
        return [_encode(one) for one in made]
    return made if isinstance(made, str) else made.bytes


def _decode(kept: Any) -> Any:
    if isinstance(kept, list):
        return [_decode(one) for one in kept]
    return kept if isinstance(kept, str) else fastuuid.UUID(bytes=kept)


def _drawing(original: Callable[..., Any]) -> Callable[..., Any]:
    kind = f"free.fastuuid.{original.__name__}"

    @functools.wraps(original)
    def drawing(*args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return original(*args, **kwargs)
        live = functools.partial(original, *args, **kwargs)
        return call_free(lane, kind, [args, kwargs], live, _encode, _decode)

    return drawing


BOUNDARY = Boundary(
    kind="fastuuid",
    supports="fastuuid>=0.11",
    hooks=tuple(
        Patch(fastuuid, name, _drawing)
        for name in (*_DRAW, *_DRAW_TIMED)
        if hasattr(fastuuid, name)
    ),
)
