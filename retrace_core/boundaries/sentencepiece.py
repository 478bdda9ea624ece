"""SentencePiece: models that it opens by their name.

Hook: `SentencePieceProcessor.LoadFromFile`, by which all ways to load one come.
Read in sentencepiece 0.2.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

sentencepiece: Any = sys.modules["sentencepiece"]

BOUNDARY = Boundary(
    kind="file",
    supports="sentencepiece>=0.1.97",
    hooks=(*opening(sentencepiece.SentencePieceProcessor, "LoadFromFile", 1, "arg"),),
)
