"""`asyncio.TaskGroup`: whom it cancels first is the same on replay.

Hook: `TaskGroup.__init__`, which makes the set `_tasks`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

from asyncio.taskgroups import TaskGroup

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.spawn_order import in_spawn_order

BOUNDARY = Boundary(
    kind="task",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(TaskGroup, "__init__", in_spawn_order),),
)
