"""The standard library's `traceback`: what a request writes of one has no frames of ours in it.

An error page, a ticket in a database: in which functions of ours a call passes a boundary is
another thing on replay. What is called below and raises stands there as it does without us; where
ours come last, they stand there too.

Hooks: `walk_tb`, and the one with columns by which `TracebackException` goes. Read in Python 3.11
to 3.13.
"""

from __future__ import annotations

import functools
import os
import traceback
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_WALKS = ("walk_tb", "_walk_tb_with_full_positions")


def _hooked(original: Callable[[Any], Iterator[Any]]) -> Callable[[Any], Iterator[Any]]:
    @functools.wraps(original)
    def walk(trace: Any) -> Iterator[Any]:
        frames = original(trace)
        return frames if current() is None else _without_ours(frames)

    return walk


def _without_ours(frames: Iterable[Any]) -> Iterator[Any]:
    ours: list[Any] = []
    for one in frames:
        if one[0].f_code.co_filename.startswith(_HERE):
            ours.append(one)
            continue
        ours.clear()
        yield one
    yield from ours


BOUNDARY = Boundary(
    kind="traceback",
    supports="cpython>=3.11,<3.14",
    hooks=tuple(Patch(traceback, name, _hooked) for name in _WALKS if hasattr(traceback, name)),
)
