"""Who called a hook: nobody's code where the interpreter itself calls.

It does so at the end of a process (`atexit.register(shutil.rmtree, folder)`), and where it opens a
file to print the lines of a traceback after all frames have gone. `sys._getframe` raises there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["called_from", "package_of"]


def called_from(depth: int = 1) -> FrameType:
    """Return the frame of who called the function that asks; one of ours where no frame is.

    Ours is infrastructure, so that a call of the interpreter's is let through, and no event.

    Args:
        depth: 1 for the caller, 2 for the caller's, as for `sys._getframe` in that function.
    """
    try:
        return sys._getframe(depth + 1)
    except ValueError:  # the stack is not that deep
        return _NOBODY


def package_of(frame: FrameType) -> str:
    """Return the name of the top package that a frame's code is of; "" where it says none."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _nobody() -> FrameType:
    return sys._getframe()


_NOBODY = _nobody()
