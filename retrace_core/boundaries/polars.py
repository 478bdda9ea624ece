"""Polars: files that it opens, scans and makes by their name.

What is scanned lazily is recorded as the scan is begun.

Hooks: functions of `polars` that read or scan, methods of `DataFrame` and `LazyFrame` that write.
Read in polars 1.30.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import WRITES, opening

polars: Any = sys.modules["polars"]

_KINDS = "csv parquet ipc ipc_stream ndjson json avro lines excel ods".split()
_READS = " ".join(f"{verb}_{kind}" for verb in ("read", "scan") for kind in _KINDS)
_WRITES = " ".join(f"write_{kind}" for kind in (*_KINDS, "excel"))
_SINKS = " ".join(f"sink_{kind}" for kind in _KINDS)

BOUNDARY = Boundary(
    kind="file",
    supports="polars>=0.20",
    hooks=(
        *opening(polars, _READS, 0, "source", many=True),
        *opening(
            polars,
            "read_csv_batched read_parquet_schema read_parquet_metadata read_ipc_schema",
            0,
            "source",
            many=True,
        ),
        *opening(polars.DataFrame, _WRITES, 1, "file", WRITES),
        *opening(polars.LazyFrame, _SINKS, 1, "path", WRITES),
    ),
)
