"""Pillow: fonts, which FreeType opens by their name; pictures go by Python's `open`.

Hook: `getfont` of Pillow's module in C, by which `ImageFont.truetype` comes. Read in Pillow 11.
"""

from __future__ import annotations

import sys

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

BOUNDARY = Boundary(
    kind="file",
    supports="pillow>=10",
    hooks=opening(sys.modules["PIL._imagingft"], "getfont", 0, "filename", in_bytes=True),
)
