"""Server threads: whose threads serve the process, and no request of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

__all__ = ["serves_process"]

_INFRASTRUCTURE = (
    "aiosqlite anyio apscheduler asgiref cheroot concurrent ddtrace grpc"
    " gunicorn langsmith ldclient logging newrelic opentelemetry"
    " prometheus_client psycopg_pool pycares pymongo redis retrace_core rocket3"
    " sentry_sdk socketserver sqlalchemy tqdm urllib3 uvicorn valkey waitress watchdog werkzeug"
).split()
"""Whose threads serve the process and outlive the request that happened to start them."""

_FEEDERS = ("multiprocessing.queues",)
"""Not all of `multiprocessing`: threads of its `ThreadPool` do the application's work."""


def serves_process(thread: threading.Thread) -> bool:
    """Return True for a thread of a server, a pool or a tracer; False for the application's."""
    target = getattr(thread, "_target", None)
    owners = (type(thread).__module__, getattr(target, "__module__", None) or "")
    return any(owner.split(".", 1)[0] in _INFRASTRUCTURE or owner in _FEEDERS for owner in owners)
