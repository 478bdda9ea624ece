"""Modules that were made while the process ran: a template engine compiles pages to programs.

What it wrote is not on the disk of a replay. So where such a program is loaded by its path, the
text of it is recorded; a replay runs that where no file is there. The application's own modules,
plugins for instance, are there, and the newest of them is what a replay is to run.

Hooks: `SourceFileLoader.get_code`, by which a file becomes a module; ordinary imports are passed
over. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.exempt import classify
from retrace_core.files.file_access import content_of, world_path
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

_ORDINARY = "_find_and_load"
"""By this function of the interpreter every `import` goes."""


def _is_ordinary() -> bool:
    """Return True in an import, whose module was found by its name, ours between or not."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and classify(frame.f_code) < 0:
        if frame.f_code.co_name == _ORDINARY:
            return True
        frame = frame.f_back
    return False


def _hooked(original: Callable[..., CodeType | None]) -> Callable[..., CodeType | None]:
    @functools.wraps(original)
    def get_code(self: Any, fullname: str) -> CodeType | None:
        lane = current()
        if lane is None or _is_ordinary():
            return original(self, fullname)
        path = self.get_filename(fullname)
        name = world_path(path)
        if name is None or (lane.mode == REPLAY and os.path.isfile(path)):
            return original(self, fullname)

        def live() -> tuple[CodeType | None, Any]:
            source = content_of(path) if lane.mode != REPLAY else None
            return original(self, fullname), source

        def again(source: Any) -> tuple[CodeType | None, Any]:
            if source is None:
                return original(self, fullname), None
            return self.source_to_code(source[0], path), source

        return call_free(lane, "file.module", name, live, lambda both: both[1], again)[0]

    return get_code


BOUNDARY = Boundary(
    kind="file",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(SourceFileLoader, "get_code", _hooked),),
)
