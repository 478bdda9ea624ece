"""TraceIdFilter: log records know the trace of their request.

handler.addFilter(TraceIdFilter())
handler.setFormatter(logging.Formatter("%(levelname)s %(trace_id)s %(message)s"))
"""

from __future__ import annotations

import logging

from retrace_core import failsafe
from retrace_core.http_clients.http_exchange import UNRECORDED
from retrace_core.native import LANE

__all__ = ["TraceIdFilter", "current_trace_name"]


def current_trace_name() -> str:
    """Return the name of the current request's trace, its folder when recorded, or ""."""
    lane = LANE.get()
    # A lane of the boot has no folder; it stays in the context of whoever imported us.
    name: str = getattr(getattr(lane, "scope", None), "folder", "")
    if name:
        return name
    unrecorded = UNRECORDED.get()
    return "" if unrecorded is None else unrecorded.trace_name


class TraceIdFilter(logging.Filter):
    """Gives each record `trace_id`; put it on a handler, since a logger's sees its own only.

    Args:
        default: outside a request; default "-".
    """

    def __init__(self, default: str = "-") -> None:
        super().__init__()
        self.default = default

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `trace_id`, unless the record has one; lets every record pass."""
        if not hasattr(record, "trace_id"):
            record.trace_id = self.default
            with failsafe.gate("trace id of a log record"):
                record.trace_id = current_trace_name() or self.default
        return True
