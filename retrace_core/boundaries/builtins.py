"""Sets of classes, of functions and of a request's tasks are gone through in one order.

Hook: `tp_iter` of `set` and `frozenset`, in the native part. Such a set has its members in the
order of their addresses, which is another one in each process: a replay would cancel, ask or list
them in another one. From CPython 3.13 on `list()` and its like go past it. Read in CPython 3.11
to 3.13.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.boundary import Boundary
from retrace_core.concurrency.spawn_order import spawn_place

if TYPE_CHECKING:
    from types import ModuleType


def _install(_: ModuleType) -> None:
    native.order_sets(asyncio.Task, spawn_place)


def _remove() -> None:
    native.order_sets(None, None)


BOUNDARY = Boundary(kind="set", supports="cpython>=3.11,<3.14", install=_install, remove=_remove)
