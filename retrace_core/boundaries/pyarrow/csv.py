"""pyarrow.csv: files that Arrow opens and makes by their name.

Hooks: the functions of `pyarrow.csv` that are given a path. Read in pyarrow 21.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

csv: Any = sys.modules["pyarrow.csv"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=(
        *opening(csv, "read_csv open_csv", 0, "input_file"),
        *opening(csv, "write_csv", 1, "output_file", WRITES),
        *opening(csv.CSVWriter, "__init__", 1, "sink", WRITES),
    ),
)
