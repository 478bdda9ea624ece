"""safetensors.numpy: tensors that it maps and makes by their name, in Rust.

Hooks: `safetensors.numpy.load_file`, `save_file`.
Read in safetensors 0.6.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

numpy: Any = sys.modules["safetensors.numpy"]

BOUNDARY = Boundary(
    kind="file",
    supports="safetensors>=0.4",
    hooks=(
        *opening(numpy, "load_file", 0, "filename"),
        *opening(numpy, "save_file", 1, "filename", WRITES),
    ),
)
