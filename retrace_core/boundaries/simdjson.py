"""pysimdjson: documents that it opens by their name.

Hook: `simdjson.Parser.load`.
Read in pysimdjson 7.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

simdjson: Any = sys.modules["simdjson"]

BOUNDARY = Boundary(
    kind="file",
    supports="pysimdjson>=5",
    hooks=(*opening(simdjson.Parser, "load", 1, "path"),),
)
