"""Request lane: whether a request asks a client, or the process does."""

from __future__ import annotations

from typing import Any

from retrace_core.lanes import Lane

__all__ = ["is_request"]


def is_request(lane: Any) -> bool:
    """Return True for a lane of a request, False for one of the start-up, and for none."""
    return isinstance(lane, Lane) and not hasattr(lane.scope, "label")
