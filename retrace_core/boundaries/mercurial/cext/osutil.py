"""Mercurial's own questions to the file system, in C: of which kind it is.

By that it decides whether a backup is a hard link; the folder is not there on replay.

Hook: `getfstype`, which `util` calls by way of the module. Read in Mercurial 7.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from mercurial.cext import osutil

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _asking(original: Callable[[bytes], bytes | None]) -> Callable[[bytes], bytes | None]:
    @functools.wraps(original)
    def getfstype(path: bytes) -> bytes | None:
        lane = current()
        if lane is None:
            return original(path)
        return call_free(lane, "file.fstype", (path,), functools.partial(original, path))

    return getfstype


BOUNDARY = Boundary(
    kind="mercurial",
    supports="mercurial>=6.0",
    hooks=(Patch(osutil, "getfstype", _asking),) if hasattr(osutil, "getfstype") else (),
)
