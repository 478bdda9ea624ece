"""Lane hook: one that costs next to nothing where nobody records."""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from retrace_core import native

__all__ = ["lane_hook"]

T = TypeVar("T")


def lane_hook(original: T, hook: Any, *, anywhere: bool = False) -> T:
    """Return what calls a hook in a lane, and outside of one what is hooked, at once.

    No frame of ours stands between the two then: not for the hooks of a client that opens
    sockets, which are told from the application's by that (`covering`).

    Args:
        original: what is hooked; outside of a lane the hook would only call it.
        hook: what is called in its place.
        anywhere: whether the hook is called as soon as any request of the process is recorded, or
            replayed: it has something to do outside of its lanes.
    """
    found: Any = native.lane_hook(original, hook, anywhere)
    if found is not hook:
        functools.update_wrapper(found, hook)
    return found  # type: ignore[no-any-return]
