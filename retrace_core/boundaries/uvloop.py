"""Tasks and futures that a request creates, on uvloop's event loop.

Hook: `uvloop.Loop.create_task` and `create_future`, as on asyncio's loops; it is a Python subclass
of the C loop, so that they can be set. Read in uvloop 0.23.
"""

from __future__ import annotations

import uvloop

from retrace_core.boundary import Boundary, Patch
from retrace_core.handed_futures import carry_future_result
from retrace_core.lanes import carry_task

BOUNDARY = Boundary(
    kind="task",
    supports="uvloop>=0.17",
    hooks=(
        Patch(uvloop.Loop, "create_task", carry_task),
        Patch(uvloop.Loop, "create_future", carry_future_result),
    ),
)
