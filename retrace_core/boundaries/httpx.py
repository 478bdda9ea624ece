"""httpx, sync and async; hooks are in http_clients/httpx_exchange.py. Read in 0.28."""

from __future__ import annotations

import httpx

from retrace_core.boundary import Boundary
from retrace_core.http_clients.httpx_exchange import boundary_of

# `httpx2.alias_httpx()` gives httpx2 that name too: it has a boundary of its own.
BOUNDARY = (
    boundary_of(httpx, "httpx", "httpx>=0.24", "httpx", "httpcore")
    if httpx.__name__ == "httpx"
    else Boundary(kind="httpx", supports="httpx2>=2")
)
