"""lxml.objectify: documents that libxml2 opens by their name.

Hook: `lxml.objectify.parse`, which took hold of `lxml.etree.parse` as it was. Read in lxml 6.
"""

from __future__ import annotations

import sys

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

BOUNDARY = Boundary(
    kind="file",
    supports="lxml>=4.9",
    hooks=opening(sys.modules["lxml.objectify"], "parse", 0, "f", in_bytes=True),
)
