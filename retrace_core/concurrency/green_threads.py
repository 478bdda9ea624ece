"""Green threads: whether gevent or eventlet has put its own in place of the threads of Python.

Recording is refused there; docs/decisions/009-green-threads-are-refused.md says why.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["patched_by"]


def patched_by() -> str:
    """Return "gevent" or "eventlet" where its green threads run as threads here, else ""."""
    gevent: Any = sys.modules.get("gevent.monkey")
    if gevent is not None and _says(gevent, "is_module_patched", "threading"):
        return "gevent"
    eventlet: Any = sys.modules.get("eventlet.patcher")
    if eventlet is not None and _says(eventlet, "is_monkey_patched", "thread"):
        return "eventlet"
    return ""


def _says(module: Any, question: str, name: str) -> bool:
    ask = getattr(module, question, None)
    return ask is not None and bool(ask(name))
