"""Anthropic's asynchronous client: which platform it runs on, it asks once, on a thread.

A client that lived before had done so; on replay the first request that it makes would have a
thread, and so lanes, that the recorded one did not have.

Hook: `asyncify`, which asks for nothing else. Requests are httpx's. Read in anthropic 2.14.
"""

from __future__ import annotations

from anthropic import _base_client

from retrace_core.boundary import Boundary, Patch
from retrace_core.masked import makes_masked

BOUNDARY = Boundary(
    kind="anthropic.platform",
    supports="anthropic>=0.60",
    hooks=(Patch(_base_client, "asyncify", makes_masked),),
)
