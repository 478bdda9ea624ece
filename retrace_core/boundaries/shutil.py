"""`shutil.rmtree`: a whole folder that the request removes.

It works by open folders, whose identity it compares with what it asked before: a scratch
folder is never the recorded one. So the whole removal is one event. With a callback for
errors it is left as it is.

Hook: `shutil.rmtree`. The rest of `shutil` calls `os` and `open`, which are hooked.
"""

from __future__ import annotations

import functools
import shutil
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.calling import called_from
from retrace_core.files.file_access import is_infrastructure, lies_in_scratch, world_path
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def rmtree(path: Any, ignore_errors: bool = False, *args: Any, **kwargs: Any) -> None:
        lane = current()
        if lane is None or args or any(value is not None for value in kwargs.values()):
            return original(path, ignore_errors, *args, **kwargs)
        named = world_path(path)
        if named is None or is_infrastructure(called_from()):
            return original(path, ignore_errors)
        live = functools.partial(original, path, ignore_errors)

        def again(value: None) -> None:
            if lies_in_scratch(path):
                live()

        return call_free(lane, "file.rmtree", (named, ignore_errors), live, decode=again)

    return rmtree


BOUNDARY = Boundary(
    kind="shutil",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(shutil, "rmtree", _hooked),),
)
