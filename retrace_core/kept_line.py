"""Kept line: one structured line in the log for each recording that was written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from retrace_core import failsafe
from retrace_core.lanes import mask

if TYPE_CHECKING:
    from retrace_core.recording import Header
    from retrace_core.store import Store

__all__ = ["tell_kept"]

_SPECIAL = " =\"'\\"
"""What a value in logfmt is quoted for; a shell takes an apostrophe for a quote, too."""

_logger = logging.getLogger("retrace")


def tell_kept(store: Store, path: str, header: Header, size_bytes: int) -> None:
    """Log at INFO, as logfmt and with `extra` fields, that a recording is in the store.

    Called by the writer's thread, where no scope is: whatever a log handler does is in no
    recording, and a slow one delays the next recording and no request.

    Args:
        store: where it was put.
        path: its logical path there.
        header: what is known of it.
        size_bytes: how large it is.
    """
    if not _logger.isEnabledFor(logging.INFO):
        return
    root = getattr(store, "root", "")
    decision = header.decision
    fields = {
        "path": f"{root}/{path}" if root else path,
        "trace_id": header.trace_id,
        "span_id": header.span_id,
        "service": header.service,
        "method": header.method,
        "url_path": header.path,
        "status": header.status,
        "error": header.error,
        "duration_ms": round(header.duration_ns / 1e6, 3),
        "size_bytes": size_bytes,
        "events": header.events,
        "decider": decision.decider,
        "reason": decision.reason,
    }
    line = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
    extra = {f"retrace_{name}": value for name, value in fields.items()}
    with failsafe.gate("log line"), mask():
        _logger.info("retrace: kept %s", line, extra=extra)


def _quoted(value: object) -> str:
    """Return a value as logfmt has it; what came from outside can't forge another line."""
    text = str(value)
    if text and all(c.isascii() and c.isprintable() and c not in _SPECIAL for c in text):
        return text
    escaped = "".join(
        f"\\{c}" if c in '"\\' else c if c.isprintable() else ascii(c)[1:-1] for c in text
    )
    return f'"{escaped}"'
