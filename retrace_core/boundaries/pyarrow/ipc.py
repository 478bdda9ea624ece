"""pyarrow: files that Arrow opens, maps or makes by their name, and IPC into one.

Hooks: `pyarrow.memory_map`, `OSFile`, `input_stream`, `output_stream`, and `pyarrow.ipc`'s writers.
Read in pyarrow 21.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, by_mode, opening, opening_class

# Not imported: they are just being imported, the package by what it imports.
pyarrow: Any = sys.modules["pyarrow"]
ipc: Any = sys.modules["pyarrow.ipc"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=(
        *opening(pyarrow, "memory_map", 0, "path", by_mode(1)),
        *opening(pyarrow, "create_memory_map output_stream", 0, how=WRITES),
        *opening(pyarrow, "input_stream", 0, "source"),
        *opening_class(pyarrow, "OSFile", 0, "path", by_mode(1)),
        *opening(ipc, "new_file new_stream", 0, "sink", WRITES),
        *opening(ipc.RecordBatchFileWriter, "__init__", 1, "sink", WRITES),
        *opening(ipc.RecordBatchStreamWriter, "__init__", 1, "sink", WRITES),
    ),
)
