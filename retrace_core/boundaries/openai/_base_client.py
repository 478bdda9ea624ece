"""OpenAI's asynchronous client: which platform it runs on, it asks once, on a thread.

A client that lived before had done so; on replay the first request that it makes would have a
thread, and so lanes, that the recorded one did not have.

Hook: `asyncify`, which asks for nothing else; older releases have none, and ask on no thread.
Requests are httpx's. Read in openai 1.3 and 3.57.
"""

from __future__ import annotations

from openai import _base_client

from retrace_core.boundary import Boundary, Patch
from retrace_core.masked import makes_masked

BOUNDARY = Boundary(
    kind="openai.platform",
    supports="openai>=1.3",
    hooks=tuple(
        Patch(_base_client, name, makes_masked)
        for name in ["asyncify"]
        if hasattr(_base_client, name)
    ),
)
