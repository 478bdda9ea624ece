"""OpenCV: images, videos and models that it opens and makes by their name.

Hooks: functions and classes of `cv2` that are given a path. Read in OpenCV 4.12.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

cv2: Any = sys.modules["cv2"]
_MODELS = ("CascadeClassifier",)
"""Up to its fifth version."""

BOUNDARY = Boundary(
    kind="file",
    supports="opencv-python-headless>=4.5",
    hooks=(
        *opening(cv2, "imread imreadmulti imcount haveImageReader", 0, "filename"),
        *opening(cv2, "imwrite imwritemulti", 0, "filename", WRITES),
        *opening(cv2.VideoCapture, "__init__ open", 1, "filename"),
        *opening(cv2.VideoWriter, "__init__ open", 1, "filename", WRITES),
        *(
            patch
            for name in _MODELS
            if hasattr(cv2, name)
            for patch in opening(getattr(cv2, name), "__init__ load", 1, "filename")
        ),
    ),
)
