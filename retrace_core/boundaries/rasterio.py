"""rasterio: rasters that GDAL opens and makes by their name, with what lies beside them.

Hook: `rasterio.open`. Read in rasterio 1.4.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import by_mode, opening
from retrace_core.files.named_folders import companions

rasterio: Any = sys.modules["rasterio"]
_beside = companions(
    "+.aux.xml", "+.ovr", "+.msk", ".aux", ".hdr", ".jgw", ".pgw", ".prj", ".tfw", ".wld"
)

BOUNDARY = Boundary(
    kind="file",
    supports="rasterio>=1.3",
    hooks=(*opening(rasterio, "open", 0, "fp", by_mode(1), beside=_beside),),
)
