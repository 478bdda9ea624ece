"""Requests as a decider sees them, without a server."""

from __future__ import annotations

from typing import Any

from retrace_mw import RequestView


def wsgi_request(**headers: str) -> RequestView:
    """Return a WSGI request: `wsgi_request(x_user="alice")`."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return RequestView({**environ, **named}, asgi=False)


def asgi_request(*, scope: dict[str, Any] | None = None, **headers: str) -> RequestView:
    """Return an ASGI request, with further entries of its scope."""
    pairs = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    whole = {"type": "http", "method": "GET", "path": "/", "headers": pairs, **(scope or {})}
    return RequestView(whole, asgi=True)


def traced(bits: int) -> RequestView:
    """Return a request of the trace with these bits."""
    return wsgi_request(traceparent=f"00-{bits:032x}-{1:016x}-01")
