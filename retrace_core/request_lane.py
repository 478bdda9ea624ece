"""Request lane: whether a request asks, or the process does for itself."""

from __future__ import annotations

from typing import TypeGuard

from retrace_core.lanes import Lane

__all__ = ["is_request"]


def is_request(lane: object) -> TypeGuard[Lane]:
    """Return True for a lane of a request, False for one of the start-up, and for none."""
    return isinstance(lane, Lane) and not hasattr(lane.scope, "label")
