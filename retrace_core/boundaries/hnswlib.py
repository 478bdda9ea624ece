"""hnswlib: indexes that it opens and makes by their name.

Hooks: `load_index` and `save_index` of `hnswlib.Index`.
Read in hnswlib 0.8.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

hnswlib: Any = sys.modules["hnswlib"]

BOUNDARY = Boundary(
    kind="file",
    supports="hnswlib>=0.7",
    hooks=(
        *opening(hnswlib.Index, "load_index", 1, "path_to_index"),
        *opening(hnswlib.Index, "save_index", 1, "path_to_index", WRITES),
    ),
)
