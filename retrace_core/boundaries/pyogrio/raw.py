"""pyogrio: layers that GDAL opens and makes by their name; GeoPandas' `read_file` goes by it.

Hooks: what `pyogrio.raw` reads and writes by, of its module in C. Read in pyogrio 0.11.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening
from retrace_core.files.named_folders import beside_layer

raw: Any = sys.modules["pyogrio.raw"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyogrio>=0.7",
    hooks=(
        *opening(raw, "ogr_read ogr_open_arrow", 0, "path_or_buffer", beside=beside_layer),
        *opening(raw, "ogr_write ogr_write_arrow", 0, "path_or_fp", WRITES),
    ),
)
