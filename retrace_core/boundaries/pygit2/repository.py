"""pygit2: repositories that libgit2 opens by their name.

In a masked recording an object is no longer what its name is the hash of: a replay has libgit2 not
look at that.

Hook: what `pygit2.Repository` is opened by. Read in pygit2 1.18.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, in_replay
from retrace_core.files.named_files import UPDATES, opening

if TYPE_CHECKING:
    from collections.abc import Callable

repository: Any = sys.modules["pygit2.repository"]
_OPENS = "init_file_backend"


def _without_hashes(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def opens(*args: Any, **kwargs: Any) -> Any:
        if in_replay():
            pygit2: Any = sys.modules["pygit2"]
            pygit2.settings.enable_strict_hash_verification(False)
        return original(*args, **kwargs)

    return opens


BOUNDARY = Boundary(
    kind="file",
    supports="pygit2>=1.12",
    hooks=(
        Patch(repository, _OPENS, _without_hashes),
        *opening(repository, _OPENS, 0, "path", UPDATES),
    ),
)
