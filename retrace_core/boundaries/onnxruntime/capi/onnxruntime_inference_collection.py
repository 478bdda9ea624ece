"""ONNX Runtime: models that it opens by their name, with the weights that lie beside them.

Hook: `InferenceSession`, as it is made. Read in onnxruntime 1.23.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening
from retrace_core.files.named_folders import companions

onnxruntime_inference_collection: Any = sys.modules[
    "onnxruntime.capi.onnxruntime_inference_collection"
]

BOUNDARY = Boundary(
    kind="file",
    supports="onnxruntime>=1.14",
    hooks=(
        *opening(
            onnxruntime_inference_collection.InferenceSession,
            "__init__",
            1,
            "path_or_bytes",
            beside=companions("+.data", "+_data", ".data", ".bin"),
        ),
    ),
)
