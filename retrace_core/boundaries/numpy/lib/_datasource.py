"""numpy: tables of text, which it opens by an `open` that it took hold of as it was imported.

Hook: how `loadtxt` and `genfromtxt` choose what opens a file, in `numpy.lib._datasource`.
Read in numpy 2.4.
"""

from __future__ import annotations

import builtins
import functools
import sys
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch

if TYPE_CHECKING:
    from collections.abc import Callable

_openers: Any = sys.modules["numpy.lib._datasource"]._file_openers


def _hooked(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    @functools.wraps(original)
    def chosen(self: Any, key: Any) -> Any:
        return original(self, key) if key is not None else builtins.open

    return chosen


BOUNDARY = Boundary(
    kind="file",
    supports="numpy>=1.24",
    hooks=(Patch(type(_openers), "__getitem__", _hooked),),
)
