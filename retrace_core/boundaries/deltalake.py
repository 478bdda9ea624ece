"""deltalake: tables, which are folders, that it opens and writes by their name, in Rust.

Hooks: `deltalake.DeltaTable`, as it is made, and `write_deltalake`.
Read in deltalake 1.1.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import UPDATES, opening

deltalake: Any = sys.modules["deltalake"]

BOUNDARY = Boundary(
    kind="file",
    supports="deltalake>=0.15",
    hooks=(
        *opening(deltalake.DeltaTable, "__init__", 1, "table_uri"),
        *opening(deltalake, "write_deltalake", 0, "table_or_uri", UPDATES),
    ),
)
