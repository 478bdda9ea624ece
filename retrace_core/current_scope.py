"""The scope of the current context: a recording's, or a replay's that has just begun."""

from __future__ import annotations

from typing import Any

from retrace_core.lanes import Lane
from retrace_core.native import INFRA, LANE, OFF

__all__ = ["active_scope", "replay_scope"]


def active_scope() -> object | None:
    """Return the scope of the current context, recording or replaying, or None."""
    lane = LANE.get()
    if isinstance(lane, Lane) and lane.mode != OFF:
        return lane.scope
    return None


def replay_scope() -> Any:
    """Return the replay that has just reached the application's middleware, or None.

    The outermost middleware of the application takes it; further ones get None.
    """
    lane = LANE.get()
    if lane is None:
        return None
    if isinstance(lane, Lane) and lane.mode == INFRA and not getattr(lane.scope, "inside", True):
        scope: Any = lane.scope
        scope.inside = True
        return scope
    return None
