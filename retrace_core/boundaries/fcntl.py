"""fcntl: whether a lock on a file was free, where one is tried for and not waited for.

Who held it (another thread, another process) is not there on replay, or at another time. Locks
that are waited for are taken as they are: nothing that is answered depends on how long it took.

Hooks: `flock` and `lockf`, with `LOCK_NB`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable


def _trying(original: Callable[..., None]) -> Callable[..., None]:
    kind = f"file.{original.__name__}"

    @functools.wraps(original)
    def trying(file: Any, operation: int, *args: Any) -> None:
        lane = current()
        if lane is None or not isinstance(operation, int) or not operation & fcntl.LOCK_NB:
            return original(file, operation, *args)
        live = functools.partial(original, file, operation, *args)
        call_free(lane, kind, [operation, *args], live)
        if lane.mode == REPLAY:
            with contextlib.suppress(OSError):  # held by a thread whose turn it is not
                live()
        return None

    return trying


BOUNDARY = Boundary(
    kind="file",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(fcntl, "flock", _trying), Patch(fcntl, "lockf", _trying)),
)
