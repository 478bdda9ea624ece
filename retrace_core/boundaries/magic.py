"""python-magic: files whose kind libmagic tells, which it opens by their name.

Hook: `Magic.from_file`, by which `magic.from_file` comes. Read in python-magic 0.4.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

magic: Any = sys.modules["magic"]

BOUNDARY = Boundary(
    kind="file",
    supports="python-magic>=0.4.24",
    hooks=(*opening(magic.Magic, "from_file", 1, "filename"),),
)
