"""`bz2`: it opens files by an `open` that it took hold of; this is the hooked one instead.

Hooks: `bz2._builtin_open`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import bz2

from retrace_core.boundary import Boundary, Patch
from retrace_core.files.open_of_now import open_of_now

BOUNDARY = Boundary(
    kind="bz2",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(bz2, "_builtin_open", open_of_now),),
)
