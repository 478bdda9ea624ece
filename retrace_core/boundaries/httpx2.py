"""httpx2, sync and async; hooks are in http_clients/httpx_exchange.py. Read in 2.16."""

from __future__ import annotations

import httpx2

from retrace_core.http_clients.httpx_exchange import boundary_of

BOUNDARY = boundary_of(httpx2, "httpx2", "httpx2>=2", "httpx2", "httpcore2")
