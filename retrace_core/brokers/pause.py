"""Pause: a thread of the process polls, on replay, a client that is not there."""

from __future__ import annotations

import threading

from retrace_core.boundary import in_replay, mask

__all__ = ["pause"]


def pause(timeout_s: float | None) -> None:
    """Wait for what does not come.

    Args:
        timeout_s: for how long; None or less than nothing is for ever.

    Raises:
        RuntimeError: it would be waited for ever, and the replay is over.
    """
    never = threading.Event()
    with mask():
        if timeout_s is not None and timeout_s >= 0:
            never.wait(min(timeout_s, threading.TIMEOUT_MAX))
            return
        while in_replay():
            never.wait(1)
    raise RuntimeError("the client is closed: it was not made, in a replay that is over")
