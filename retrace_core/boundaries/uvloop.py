"""Tasks that a request creates run in lanes of their own, on uvloop's event loop.

Hook: `uvloop.Loop.create_task`, a Python subclass of the C loop, so that it can be set.
Read in uvloop 0.23.
"""

from __future__ import annotations

import uvloop

from retrace_core.boundary import Boundary, Patch
from retrace_core.lanes import carry_task

BOUNDARY = Boundary(
    kind="task",
    supports="uvloop>=0.17",
    hooks=(Patch(uvloop.Loop, "create_task", carry_task),),
)
