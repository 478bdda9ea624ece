"""Told loop: which thread told an event loop to call something, before which other.

`call_soon_threadsafe` asks nothing of the world, but what a loop is told by several threads of a
request it does one after the other. What asyncio and anyio tell it themselves ends a wait, which is
an event of its own.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.calling import called_from
from retrace_core.concurrency.ordering import in_turn, is_infrastructure, note_turn
from retrace_core.lane_hook import lane_hook
from retrace_core.lanes import Lane
from retrace_core.native import OFF, REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["carry_telling"]

_WHAT = "call_soon_threadsafe"

_telling = threading.RLock()
"""Held from the turn until the loop is told: another thread must not get in between.

The telling itself is in no turn: the loop may call at once, and then the lane is not to be busy.
"""


def carry_telling(tell: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `call_soon_threadsafe` that takes its recorded turn."""

    def telling(loop: Any, callback: Any, *args: Any, **options: Any) -> Any:
        lane, code = current(), called_from().f_code
        live = functools.partial(tell, loop, callback, *args, **options)
        if not isinstance(lane, Lane) or lane.mode == OFF or lane.busy or is_infrastructure(code):
            return live()
        if lane.mode == REPLAY:
            in_turn(lane, _WHAT, code, _telling.acquire, lambda _: _telling.acquire())
        else:
            _telling.acquire()
            note_turn(lane, _WHAT, code, True, now_ns())
        try:
            return live()
        finally:
            _telling.release()

    return lane_hook(tell, telling)
