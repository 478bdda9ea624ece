"""caio, and so aiofile: files that the kernel, or a thread, reads and writes for an event loop.

What stands in a file is known from its opening, and on replay it is read again, in a folder of the
replay's own. When that is done depends on the disk: so the wait is an event, and what it is told
by (a descriptor of the kernel's, a thread) is nobody's.

Hook: `AsyncioContextBase.submit`, to which each operation comes, whichever of its four engines
does it. Read in caio 0.12.
"""

from __future__ import annotations

from caio.asyncio_base import AsyncioContextBase

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.waited import waited

BOUNDARY = Boundary(
    kind="caio",
    supports="caio>=0.9",
    hooks=(Patch(AsyncioContextBase, "submit", waited("caio.wait")),),
)
