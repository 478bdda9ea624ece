"""Faiss: indexes that it opens and makes by their name.

Hooks: `faiss.read_index`, `write_index`, and those of binary indexes.
Read in Faiss 1.12.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

faiss: Any = sys.modules["faiss"]

BOUNDARY = Boundary(
    kind="file",
    supports="faiss-cpu>=1.7",
    hooks=(
        *opening(faiss, "read_index read_index_binary", 0),
        *opening(faiss, "write_index write_index_binary", 1, how=WRITES),
    ),
)
