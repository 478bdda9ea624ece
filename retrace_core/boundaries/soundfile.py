"""soundfile: sounds that libsndfile opens and makes by their name; librosa's by way of it.

Hook: `soundfile.SoundFile`, as it is made.
Read in soundfile 0.13.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import by_mode, opening

soundfile: Any = sys.modules["soundfile"]

BOUNDARY = Boundary(
    kind="file",
    supports="soundfile>=0.12",
    hooks=(*opening(soundfile.SoundFile, "__init__", 1, "file", by_mode(2)),),
)
