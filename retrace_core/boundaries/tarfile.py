"""`tarfile`: it opens files by an `open` that it took hold of; this is the hooked one instead.

Hooks: `tarfile.bltn_open`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import builtins
import functools
import tarfile
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch

if TYPE_CHECKING:
    from collections.abc import Callable


def _of_now(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def opening(*args: Any, **options: Any) -> Any:
        return builtins.open(*args, **options)

    return opening


BOUNDARY = Boundary(
    kind="tarfile",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(tarfile, "bltn_open", _of_now),),
)
