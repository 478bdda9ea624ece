"""pyarrow.parquet: files and folders of Parquet that Arrow opens and makes by their name.

pandas' `read_parquet` and `to_parquet` go by it.

Hooks: the functions of `pyarrow.parquet` that are given a path, `ParquetFile`, `ParquetWriter`,
`ParquetDataset`. Read in pyarrow 21.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import MAKES, WRITES, opening

parquet: Any = sys.modules["pyarrow.parquet"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=(
        *opening(parquet, "read_table read_pandas", 0, "source", many=True),
        *opening(parquet, "read_schema read_metadata", 0, "where"),
        *opening(parquet.ParquetFile, "__init__", 1, "source"),
        *opening(parquet.ParquetDataset, "__init__", 1, "path_or_paths", many=True),
        *opening(parquet, "write_table write_metadata", 1, "where", WRITES),
        *opening(parquet.ParquetWriter, "__init__", 1, "where", WRITES),
        *opening(parquet, "write_to_dataset", 1, "root_path", MAKES),
    ),
)
