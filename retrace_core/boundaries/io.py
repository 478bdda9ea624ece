"""`open`: what was in a file as the request opened it is recorded; replay opens a copy.

The file object is a real one in both worlds, on replay of a scratch file: seeking, mapping
and buffering are the interpreter's own. What is written goes to the scratch file and nowhere
else. A file that was not opened when it was recorded, a template for instance that lay in a
cache, is opened as it is, for reading only.

Hooks: `io.open`, which is `builtins.open`.
"""

from __future__ import annotations

import builtins
import functools
import io
import sys
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.file_access import (
    NOTHING,
    content_of,
    is_infrastructure,
    materialised,
    world_path,
)
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: A001
        lane = current()
        if lane is None or is_infrastructure(sys._getframe(1)):
            return original(file, mode, *args, **kwargs)
        name = world_path(file)
        opener = args[5] if len(args) > 5 else kwargs.get("opener")
        if name is None or opener is not None:
            return original(file, mode, *args, **kwargs)

        def live() -> Any:
            before = content_of(file) if "w" not in mode and "x" not in mode else None
            if before is not None and before[1]:
                lane.state.tainted = True
            return original(file, mode, *args, **kwargs), before

        def encode(outcome: Any) -> object:
            return outcome[1]

        def decode(before: Any) -> Any:
            if before is None and mode[:1] == "r":
                before = NOTHING
            copy = original(materialised(name, before), mode, *args, **kwargs)
            _named(copy, file)
            return copy, before

        return call_free(lane, "file.open", (name, mode), live, encode, decode)[0]

    return open


def _named(opened: Any, file: Any) -> None:
    raw = getattr(getattr(opened, "buffer", opened), "raw", opened)
    try:
        raw.name = file
    except AttributeError:
        return


BOUNDARY = Boundary(
    kind="file",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(builtins, "open", _hooked), Patch(io, "open", _hooked)),
)
