"""pyarrow.json: files that Arrow opens by their name.

Hooks: the functions of `pyarrow.json` that are given a path. Read in pyarrow 21.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

json: Any = sys.modules["pyarrow.json"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=opening(json, "read_json open_json", 0, "input_file"),
)
