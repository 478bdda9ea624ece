"""pyarrow.feather: files that Arrow opens and makes by their name.

Hooks: `pyarrow.feather.read_table`, `read_feather`, `write_feather`. Read in pyarrow 21.
"""

from __future__ import annotations

import sys

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

feather = sys.modules["pyarrow.feather"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=(
        *opening(feather, "read_table read_feather", 0, "source"),
        *opening(feather, "write_feather", 1, "dest", WRITES),
    ),
)
