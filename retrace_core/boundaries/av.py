"""PyAV: sounds and films that FFmpeg opens and makes by their name.

Hook: `av.open`.
Read in PyAV 15.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import by_mode, opening

av: Any = sys.modules["av"]

BOUNDARY = Boundary(
    kind="file",
    supports="av>=10",
    hooks=(*opening(av, "open", 0, "file", by_mode(1)),),
)
