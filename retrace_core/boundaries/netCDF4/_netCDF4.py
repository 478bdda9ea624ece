"""netCDF4: files that its library opens and makes by their name; xarray's by way of it.

Hook: `netCDF4.Dataset`, as it is made. Read in netCDF4 1.7.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import by_mode, opening

netcdf: Any = sys.modules["netCDF4._netCDF4"]

BOUNDARY = Boundary(
    kind="file",
    supports="netCDF4>=1.6",
    hooks=opening(netcdf.Dataset, "__init__", 1, "filename", by_mode(2)),
)
