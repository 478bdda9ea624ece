"""`resource`: what the process has used, as a status page says it.

Hook: `resource.getrusage`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import resource

from retrace_core.boundary import Boundary
from retrace_core.reading import readings

BOUNDARY = Boundary(
    kind="resource",
    supports="cpython>=3.11,<3.14",
    hooks=tuple(readings(resource, "free.resource", {"getrusage": resource.struct_rusage})),
)
