"""PyTables: files that HDF5 opens and makes by their name; pandas' `read_hdf` goes by it.

Hook: `tables.hdf5extension.File._g_new`, by which a file is opened. Read in PyTables 3.10.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import by_mode, opening

hdf5extension: Any = sys.modules["tables.hdf5extension"]

BOUNDARY = Boundary(
    kind="file",
    supports="tables>=3.7",
    hooks=opening(hdf5extension.File, "_g_new", 1, "name", by_mode(2, "pymode")),
)
