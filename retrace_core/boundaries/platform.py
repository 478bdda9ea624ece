"""`platform`: which machine the request ran on, as user agents and status pages say it.

`platform` asks the system once and keeps the answer, so that an earlier request may have
asked already: the answer is recorded wherever it is given, cached or not.

Hooks: `platform.uname`, which `system`, `node`, `processor` and the others call.
"""

from __future__ import annotations

import functools
import platform
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[[], Any]) -> Callable[[], Any]:
    @functools.wraps(original)
    def uname() -> Any:
        lane = current()
        if lane is None:
            return original()

        def complete() -> Any:
            known = original()
            tuple(known)  # finds out the processor, too: it runs a program, the first time
            return known

        return call_free(lane, "file.uname", None, complete, tuple, _rebuilt)

    return uname


def _rebuilt(value: Any) -> Any:
    *rest, processor = value
    uname = platform.uname_result(*rest)
    uname.__dict__["processor"] = processor
    return uname


BOUNDARY = Boundary(
    kind="platform",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(platform, "uname", _hooked),),
)
