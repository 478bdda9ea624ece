"""The cost of one clock read: bare, with the hooks outside a scope, and while recording.

`python -m benchmarks.clock` prints nanoseconds per call, the loop's own cost taken off; the
three are measured in turns in one process, and the smallest of many rounds is shown.
"""

from __future__ import annotations

import datetime
import random
import time
from typing import TYPE_CHECKING, Any

from retrace_core import native
from retrace_core.installer import install, uninstall
from retrace_core.lanes import Lane
from retrace_core.native import LANE, RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS, ROUNDS = 1_000, 300


class Owner:
    """The least that a lane needs of its scope."""

    def __init__(self) -> None:
        self.state = native.ScopeState(1 << 40)
        self.outgoing_headers = ()


def loop_ns(function: Callable[..., Any] | None, *args: Any) -> float:
    """Return nanoseconds per turn of a loop that calls `function`, or does nothing."""
    turns = range(CALLS)
    start = native.now_ns()
    if function is None:
        for _ in turns:
            pass
    elif args:
        for _ in turns:
            function(*args)
    else:
        for _ in turns:
            function()
    return (native.now_ns() - start) / CALLS


def recorded_ns(function: Callable[..., Any], *args: Any) -> float:
    """Return what `loop_ns` does, with a lane that records; its buffer is let go after it."""
    lane = Lane(Owner(), "0", RECORD)  # type: ignore[arg-type]
    token = LANE.set(lane)
    native.arm(1)
    try:
        return loop_ns(function, *args)
    finally:
        native.arm(-1)
        LANE.reset(token)
        assert lane.events == CALLS
        lane.clear()


def main() -> None:
    """Print the table."""
    calls: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
        "time.time()": (time.time, ()),
        "time.monotonic_ns()": (time.monotonic_ns, ()),
        "datetime.now()": (datetime.datetime.now, ()),
        "random.random()": (random.random, ()),
        "random.getrandbits(64)": (random.getrandbits, (64,)),
    }
    print(f"{'ns per call':24} {'bare':>8} {'outside':>9} {'recorded':>9}")
    for name, (function, args) in calls.items():
        best = dict.fromkeys(("empty", "bare", "outside", "recorded"), float("inf"))
        for _ in range(ROUNDS):
            uninstall()
            best["empty"] = min(best["empty"], loop_ns(None))
            best["bare"] = min(best["bare"], loop_ns(function, *args))
            install()
            best["outside"] = min(best["outside"], loop_ns(function, *args))
            best["recorded"] = min(best["recorded"], recorded_ns(function, *args))
        bare, outside, recorded = (
            best[part] - best["empty"] for part in ("bare", "outside", "recorded")
        )
        print(
            f"{name:24} {bare:8.1f} {outside:8.1f} {recorded:9.1f}"
            f"   outside {outside - bare:+.1f}, recorded {recorded - bare:+.1f}"
        )


if __name__ == "__main__":
    main()
