"""LightGBM: models that it opens and makes by their name.

Hooks: `lightgbm.Booster`, as it is made, and its `save_model`.
Read in LightGBM 4.6.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

lightgbm: Any = sys.modules["lightgbm"]

BOUNDARY = Boundary(
    kind="file",
    supports="lightgbm>=4",
    hooks=(
        *opening(lightgbm.Booster, "__init__", 3, "model_file"),
        *opening(lightgbm.Booster, "save_model", 1, "filename", WRITES),
    ),
)
