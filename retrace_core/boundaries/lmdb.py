"""LMDB: a store that it maps by its name, a folder or a file.

On replay it is a copy of what it was when it was opened, and what is done to it is done to that:
what other processes wrote to it meanwhile is not there.

Hook: `lmdb.open`. Read in lmdb 1.7.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import UPDATES, opening

lmdb: Any = sys.modules["lmdb"]

BOUNDARY = Boundary(
    kind="file",
    supports="lmdb>=1.3",
    hooks=(*opening(lmdb, "open", 0, "path", UPDATES),),
)
