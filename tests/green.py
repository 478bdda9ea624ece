"""An application for gevent's workers; gevent goes through all modules, so it loads few."""

from __future__ import annotations

from typing import Any


def app(environ: Any, start_response: Any) -> list[bytes]:
    """Say which greenlet serves, so that it is seen that gevent does."""
    import time

    import gevent

    time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(id(gevent.getcurrent())).encode()]


def recorded() -> Any:
    """The application with the middleware."""
    from retrace_mw import RetraceMiddleware

    return RetraceMiddleware(app)
