"""Service name: what a service is called that nobody gave a name."""

from __future__ import annotations

import re
from typing import Any

from retrace_core.environment import name_of_app
from retrace_core.ids import valid_service

__all__ = ["service_name"]


def service_name(app: Any) -> str:
    """Return a service name made from the application's title, name or module."""
    owner = getattr(app, "__self__", app)
    for _ in range(12):
        for attribute in ("title", "import_name", "name"):
            name = _clean(getattr(owner, attribute, None))
            if name:
                return name
        inner = getattr(owner, "app", None)
        if inner is None or inner is owner:
            break
        owner = getattr(inner, "__self__", inner)
    module = name_of_app(app)[0].partition(":")[0]
    return _clean(module) or _clean(getattr(owner, "__module__", None)) or "service"


def _clean(name: object) -> str:
    if not isinstance(name, str) or name in ("__main__", "FastAPI"):
        return ""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._").lower()[:64]
    return cleaned if valid_service(cleaned) else ""
