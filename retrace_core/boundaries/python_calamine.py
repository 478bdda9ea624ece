"""python-calamine: workbooks that it opens by their name, in Rust.

Hooks: `load_workbook`, `CalamineWorkbook.from_path`.
Read in python-calamine 0.5.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

python_calamine: Any = sys.modules["python_calamine"]

BOUNDARY = Boundary(
    kind="file",
    supports="python-calamine>=0.2",
    hooks=(
        *opening(python_calamine, "load_workbook", 0, "path_or_filelike"),
        *opening(python_calamine.CalamineWorkbook, "from_object", 0, "path_or_filelike"),
        *opening(python_calamine.CalamineWorkbook, "from_path", 0, "path"),
    ),
)
