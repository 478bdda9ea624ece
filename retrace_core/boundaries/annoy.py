"""Annoy: indexes that it maps and makes by their name.

Hooks: `load` and `save` of `annoy.AnnoyIndex`.
Read in Annoy 1.17.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

annoy: Any = sys.modules["annoy"]

BOUNDARY = Boundary(
    kind="file",
    supports="annoy>=1.17",
    hooks=(
        *opening(annoy.AnnoyIndex, "load", 1, "fn"),
        *opening(annoy.AnnoyIndex, "save", 1, "fn", WRITES),
    ),
)
