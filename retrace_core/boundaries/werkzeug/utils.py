"""Werkzeug's `send_file`: it marks a file by its path, which of a temporary one is another here.

The mark (ETag) has the Adler-32 of the path in it. On replay it is that of the recorded one.

Hooks: `adler32`, as `werkzeug.utils` has it from zlib. Read in Werkzeug 3.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from werkzeug import utils

from retrace_core.boundary import Boundary, Patch
from retrace_core.files.file_access import with_recorded_folder
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def adler32(data: Any, *args: Any) -> int:
        lane = current()
        if lane is None or lane.mode != REPLAY:
            return original(data, *args)
        return original(with_recorded_folder(bytes(data)), *args)

    return adler32


BOUNDARY = Boundary(
    kind="werkzeug",
    supports="werkzeug>=2.2",
    hooks=(Patch(utils, "adler32", _hooked),),
)
