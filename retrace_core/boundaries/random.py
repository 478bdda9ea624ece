"""`random`: the number that `gauss` had left over from an earlier call, perhaps of another request.

It draws two at a time; the second one answers the next call without a draw. The draws themselves
are soft events, recorded natively.

Hook: the code object of `random.Random.gauss`, and not the attribute, because `random.gauss` is a
bound method, and imported by name everywhere. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from retrace_core.boundary import Boundary, call_free
from retrace_core.code_hook import CodeHook
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND: Final = "free.random.gauss_next"


def _hooked(live: Callable[[Any, float, float], float]) -> Callable[[Any, float, float], float]:
    def gauss_in_scope(self: Any, mu: float, sigma: float) -> float:
        lane = current()
        if lane is not None:
            left = call_free(lane, _KIND, None, lambda: self.gauss_next)
            if lane.mode == REPLAY:
                self.gauss_next = left
        return live(self, mu, sigma)

    return gauss_in_scope


# Its code is what `gauss` runs while hooked; the name is a global of the module `random`.
def gauss(self: Any, mu: float = 0.0, sigma: float = 1.0) -> float:
    """Gaussian distribution."""
    return _retrace_gauss(self, mu, sigma)  # type: ignore[name-defined,no-any-return]  # noqa: F821  # pyright: ignore


_CODE = CodeHook(random.Random, gauss, _hooked)

BOUNDARY = Boundary(
    kind="random",
    supports="cpython>=3.11,<3.14",
    hooks=(),
    install=_CODE.install,
    remove=_CODE.remove,
)
