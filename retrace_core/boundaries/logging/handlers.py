"""`logging.handlers`: a folder of logs that is not on the laptop has none to be deleted.

What logging does with its files is infrastructure, and no event; a handler that turns them over
looks for old ones in a folder that a replay does not have.

Hook: `TimedRotatingFileHandler.getFilesToDelete`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
from logging.handlers import TimedRotatingFileHandler
from typing import TYPE_CHECKING

from retrace_core.boundary import Boundary, Patch, in_replay

if TYPE_CHECKING:
    from collections.abc import Callable


def _old_files(
    original: Callable[[TimedRotatingFileHandler], list[str]],
) -> Callable[[TimedRotatingFileHandler], list[str]]:
    @functools.wraps(original)
    def old_files(self: TimedRotatingFileHandler) -> list[str]:
        try:
            return original(self)
        except FileNotFoundError:
            if not in_replay():
                raise
            return []

    return old_files


BOUNDARY = Boundary(
    kind="logging.handlers",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(TimedRotatingFileHandler, "getFilesToDelete", _old_files),),
)
