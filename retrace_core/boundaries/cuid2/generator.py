"""cuid2: the fingerprint of the process, which is made of the names of all its variables.

A replay has other variables (those of a shell are none of a recording's), so that each id would be
another one.

Hook: `Cuid.__init__`, which makes it. Read in cuid2 2.0.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cuid2.generator import Cuid

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # it is one
        init(self, *args, **kwargs)
        lane = current()
        if lane is not None:
            made = self._fingerprint
            self._fingerprint = call_free(lane, "free.cuid2.fingerprint", None, lambda: made)

    return __init__


BOUNDARY = Boundary(kind="cuid2", supports="cuid2>=2", hooks=(Patch(Cuid, "__init__", _hooked),))
