"""pyarrow.dataset: folders of files that Arrow opens and makes by their name.

Hooks: `pyarrow.dataset.dataset`, `parquet_dataset`, `write_dataset`. Read in pyarrow 21.
"""

from __future__ import annotations

import sys

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import MAKES, opening

dataset = sys.modules["pyarrow.dataset"]

BOUNDARY = Boundary(
    kind="file",
    supports="pyarrow>=12",
    hooks=(
        *opening(dataset, "dataset", 0, "source", many=True),
        *opening(dataset, "parquet_dataset", 0, "metadata_path"),
        *opening(dataset, "write_dataset", 1, "base_dir", MAKES),
    ),
)
