"""pyarrow.orc: files that Arrow opens and makes by their name.

Hooks: `pyarrow.orc.read_table`, `write_table`, `ORCFile`, `ORCWriter`. Read in pyarrow 21.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

orc: Any = sys.modules["pyarrow.orc"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=(
        *opening(orc, "read_table", 0, "source"),
        *opening(orc.ORCFile, "__init__", 1, "source"),
        *opening(orc, "write_table", 1, "where", WRITES),
        *opening(orc.ORCWriter, "__init__", 1, "where", WRITES),
    ),
)
