"""`ctypes`: what a shared library is called here, as wrappers of libmagic and the like ask.

It runs the compiler, the linker and `ldconfig` to find out, which a replay must not. The name
(`libmagic.so.1`) is the same on most machines; whether there is such a library decides what the
application does without it.

Hooks: `ctypes.util.find_library`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import ctypes.util
import functools
from typing import TYPE_CHECKING

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _finding(original: Callable[[str], str | None]) -> Callable[[str], str | None]:
    @functools.wraps(original)
    def find_library(name: str) -> str | None:
        lane = current()
        if lane is None:
            return original(name)
        found: str | None = call_free(lane, "file.library", name, functools.partial(original, name))
        return found

    return find_library


BOUNDARY = Boundary(
    kind="file",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(ctypes.util, "find_library", _finding),),
)
