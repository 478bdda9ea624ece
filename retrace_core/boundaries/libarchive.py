"""libarchive-c: archives that libarchive opens by their name.

Hook: `libarchive.file_reader`.
Read in libarchive-c 5.3.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

libarchive: Any = sys.modules["libarchive"]

BOUNDARY = Boundary(
    kind="file",
    supports="libarchive-c>=4",
    hooks=(*opening(libarchive, "file_reader", 0, "path"),),
)
