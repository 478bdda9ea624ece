"""pypdfium2: documents that PDFium opens by their name; pdfplumber's by way of it.

Hook: `pypdfium2.PdfDocument`, as it is made.
Read in pypdfium2 4.30.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

pypdfium2: Any = sys.modules["pypdfium2"]

BOUNDARY = Boundary(
    kind="file",
    supports="pypdfium2>=4",
    hooks=(*opening(pypdfium2.PdfDocument, "__init__", 1, "input"),),
)
