"""plyvel: a store that LevelDB opens by its name, a folder.

On replay it is a copy of what it was when it was opened, and what is done to it is done to that:
what other processes wrote to it meanwhile is not there.

Hook: `plyvel.DB`, as it is made. Read in plyvel 1.5.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import UPDATES, opening

plyvel: Any = sys.modules["plyvel"]

BOUNDARY = Boundary(
    kind="file",
    supports="plyvel>=1.4",
    hooks=(*opening(plyvel.DB, "__init__", 1, "name", UPDATES),),
)
