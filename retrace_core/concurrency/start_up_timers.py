"""Timers of the start-up: what an event loop calls later, as often as it had when a request came.

A scheduler has its loop call it when the next job is due (`call_later`), and `asyncio.timeout` and
`asyncio.wait` wake up by it. What was called changes what later requests find, so that each call
is an event of the boot tape. On replay the loop's clock has no say: what the tape has is called,
as far as it had come when the request came.

A timer that the start-up itself sets, and not what it left running, gets a lane of its own, in
which what it calls may set the next.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from typing import TYPE_CHECKING, Any, Final, cast

from retrace_core.boot.tape import is_of_boot
from retrace_core.lanes import Lane, mask
from retrace_core.native import LANE, OFF, REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["carry_timer"]

_KIND: Final = "asyncio.timer"
_WAITS: Final = ("anyio.", "asyncio.")
"""Modules whose callbacks end a wait of the code that set them: of the start-up itself, that is
none of the background."""
_DIGITS: Final = 2
"""Of the seconds that a wait may take: some microseconds less is no other wait."""

_pausing: set[asyncio.Task[None]] = set()


def carry_timer(later: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `call_at` or `call_later` whose calls for the start-up are events of its tape."""

    @functools.wraps(later)
    def carried(loop: Any, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        lane = current()
        if not isinstance(lane, Lane) or not is_of_boot(lane) or lane.mode == OFF:
            return later(loop, when, callback, *args, context=context)
        return _carried(later, lane, loop, when, callback, args, context)

    return carried


def _carried(
    later: Callable[..., Any],
    lane: Lane,
    loop: Any,
    when: float,
    callback: Any,
    args: tuple[Any, ...],
    context: contextvars.Context | None,
) -> Any:
    ends_wait = _module_of(callback).startswith(_WAITS)
    if _is_in_front(lane):
        if ends_wait:
            return later(loop, when, callback, *args, context=context)
        lane = lane.spawn()
        context = (context or contextvars.copy_context()).copy()
        context.run(LANE.set, lane)
    name = _name_of(callback)
    if ends_wait:  # who waits may do so in several ways at once, each with a limit of its own
        with mask():
            seconds = when - loop.time() if later.__name__ == "call_at" else when
        name = f"{name} {seconds:.{_DIGITS}g}"
    if lane.mode == REPLAY:
        return _Played(later, lane, name, loop, when, callback, args, context)
    called = functools.partial(_call, lane, name, now_ns(), callback)
    with mask():  # one is made by way of the other
        return later(loop, when, called, *args, context=context or _of(lane))


def _of(lane: Lane) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(LANE.set, lane)
    return context


def _is_in_front(lane: Lane) -> bool:
    scope = cast("Any", lane.scope)
    foreground = getattr(scope, "foreground", None) or ()
    return lane is scope.root or lane in foreground


def _call(lane: Lane, name: str, start_ns: int, callback: Any, *args: Any) -> None:
    if lane.mode != OFF:
        lane.record(_KIND, name, RETURNED, None, start_ns)
    callback(*args)


class _Played(asyncio.TimerHandle):
    """Calls when the tape says so."""

    def __init__(
        self,
        later: Callable[..., Any],
        lane: Lane,
        name: str,
        loop: Any,
        when: float,
        callback: Any,
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context or _of(lane))
        with mask():  # no task of the application's
            self._task = loop.create_task(self._pause(later, lane, name, when))
        _pausing.add(self._task)
        self._task.add_done_callback(_pausing.discard)

    async def _pause(self, later: Callable[..., Any], lane: Lane, name: str, when: float) -> None:
        scope: Any = lane.scope
        await scope.answer_async(lane, _KIND, name)
        if not self.cancelled():
            self._run()

    def cancel(self) -> None:
        """Have it not called any more."""
        asyncio.Handle.cancel(self)
        if self._task is not asyncio.current_task(self._task.get_loop()):
            self._task.cancel()


def _plain(callback: Any) -> Any:
    while isinstance(callback, functools.partial):
        callback = callback.func
    return callback


def _module_of(callback: Any) -> str:
    return f"{getattr(_plain(callback), '__module__', None) or ''}."


def _name_of(callback: Any) -> str:
    plain = _plain(callback)
    return str(getattr(plain, "__qualname__", type(plain).__qualname__))
