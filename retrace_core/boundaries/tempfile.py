"""`tempfile`: the random part of a temporary file's name is recorded.

The sequence that makes the names belongs to the process, so that its next one depends on how
many were made before. While the process boots, those that a server asks for (gunicorn makes a
file for each worker) are left out: the server is not there on replay, and its application would
get the server's name.

Hooks: `tempfile._RandomNameSequence.__next__`.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from retrace_core.boot_tape import BOOT
from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.file_access import is_infrastructure
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __next__(self: Any) -> Any:
        lane = current()
        if lane is None or (_boots(lane) and is_infrastructure(sys._getframe(1))):
            return original(self)
        return call_free(lane, "file.name", None, functools.partial(original, self))

    return __next__


def _boots(lane: Any) -> bool:
    return getattr(lane.scope, "label", "") == BOOT


_SEQUENCE: Any = tempfile._RandomNameSequence  # type: ignore[attr-defined]  # pyright: ignore

BOUNDARY = Boundary(
    kind="tempfile",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(_SEQUENCE, "__next__", _hooked),),
)
