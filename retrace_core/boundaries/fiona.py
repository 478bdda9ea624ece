"""Fiona: layers that GDAL opens and makes by their name, with what lies beside them.

Hooks: `fiona.open`, `fiona.listlayers`. Read in Fiona 1.10.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import by_mode, opening
from retrace_core.files.named_folders import beside_layer

fiona: Any = sys.modules["fiona"]

BOUNDARY = Boundary(
    kind="file",
    supports="fiona>=1.9",
    hooks=(
        *opening(fiona, "open", 0, "fp", by_mode(1), beside=beside_layer),
        *opening(fiona, "listlayers", 0, "fp", beside=beside_layer),
    ),
)
