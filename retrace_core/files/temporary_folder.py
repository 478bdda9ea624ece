"""Where temporary files are, whatever `tempfile` is told later.

What lies in it is nobody's on another machine, and a replay has a scratch folder in its place.
An application may set `tempfile.tempdir` to a folder of its own, when it starts: that one is a
folder of the world like any other, which the recording answers for.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AT_FIRST", "in_scratch", "temporary_folder"]

# Asked now, since asking later takes a lock, and looks at files itself.
AT_FIRST = tempfile.gettempdir()
"""Where it was when this was imported, and so before an application could set another."""
_scratch: list[str] = []


def temporary_folder() -> str:
    """Return its path: as it was at first, and during a replay the scratch folder."""
    return _scratch[-1] if _scratch else AT_FIRST


@contextmanager
def in_scratch(folder: str) -> Iterator[None]:
    """Have a folder for temporary files while the block runs, and `tempfile` use it."""
    before = tempfile.tempdir
    _scratch.append(folder)
    tempfile.tempdir = folder
    try:
        yield
    finally:
        _scratch.pop()
        tempfile.tempdir = before
