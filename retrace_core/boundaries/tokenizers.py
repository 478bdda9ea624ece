"""tokenizers: models that it reads and writes by their name, in Rust.

Hooks: `Tokenizer.from_file` and `save`. Read in tokenizers 0.22.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

tokenizers: Any = sys.modules["tokenizers"]

BOUNDARY = Boundary(
    kind="file",
    supports="tokenizers>=0.13",
    hooks=(
        *opening(tokenizers.Tokenizer, "from_file", 0, "path"),
        *opening(tokenizers.Tokenizer, "save", 1, "path", WRITES),
    ),
)
