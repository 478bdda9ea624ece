"""XGBoost: models that it opens and makes by their name.

Hooks: `load_model` and `save_model` of `xgboost.Booster`, by which those of its estimators come.
Read in XGBoost 3.0.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

xgboost: Any = sys.modules["xgboost"]

BOUNDARY = Boundary(
    kind="file",
    supports="xgboost>=2",
    hooks=(
        *opening(xgboost.Booster, "load_model", 1, "fname"),
        *opening(xgboost.Booster, "save_model", 1, "fname", WRITES),
    ),
)
