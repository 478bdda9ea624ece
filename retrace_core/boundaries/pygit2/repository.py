"""pygit2: repositories that libgit2 opens by their name.

Hook: what `pygit2.Repository` is opened by. Read in pygit2 1.18.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.named_files import UPDATES, opening

repository: Any = sys.modules["pygit2.repository"]

BOUNDARY = Boundary(
    kind="file",
    supports="pygit2>=1.12",
    hooks=(*opening(repository, "init_file_backend", 0, "path", UPDATES),),
)
