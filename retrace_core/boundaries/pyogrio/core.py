"""pyogrio: what it says of files without reading them.

Hooks: what `pyogrio.core` asks by, of its module in C. Read in pyogrio 0.11.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening
from retrace_core.files.named_folders import beside_layer

core: Any = sys.modules["pyogrio.core"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyogrio>=0.7",
    hooks=(
        *opening(
            core,
            "ogr_list_layers ogr_read_bounds ogr_read_info",
            0,
            "path_or_buffer",
            beside=beside_layer,
        ),
    ),
)
