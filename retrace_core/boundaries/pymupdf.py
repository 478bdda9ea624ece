"""PyMuPDF: documents that MuPDF opens and writes by their name.

Hooks: `pymupdf.Document`, as it is made; what it and a `Pixmap` are saved by. Read in PyMuPDF 1.26.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

pymupdf: Any = sys.modules["pymupdf"]

BOUNDARY = Boundary(
    kind="file",
    supports="pymupdf>=1.24",
    hooks=(
        *opening(pymupdf.Document, "__init__", 1, "filename"),
        *opening(pymupdf.Document, "save ez_save", 1, "filename", WRITES),
        *opening(pymupdf.Pixmap, "save", 1, "filename", WRITES),
    ),
)
