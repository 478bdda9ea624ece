"""Memory cache: what a cache in the process's memory answers, as events.

What an earlier request put there is in no recording, so each answer is one. On replay the
cache is worked on as well: it serves what can't be recorded (an object of the application's)
if the replayed request itself, or one that was run before it, put it there. By when that is
too old, is reckoned by the live clock, there as here: between two replays hardly any time goes by.
"""

from __future__ import annotations

import contextlib
import copy
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Patch, call, mask
from retrace_core.codec import Opaque
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core import native

__all__ = ["answering", "by_live_clock", "looked_up"]

_MISSING = object()


def looked_up(
    lane: native.Lane, kind: str, key: object, live: Callable[[Any], Any], default: Any = None
) -> Any:
    """Return what is in the cache, recorded; or, on replay, what was there.

    Args:
        lane: what `current()` returned.
        kind: the event's kind, for instance "cachelib.get".
        key: what is looked up.
        live: gets what to return at a miss; looks it up.
        default: returned at a miss; need not be recordable.
    """

    def found() -> tuple[Any] | None:
        value = live(_MISSING)
        return None if value is _MISSING else (value,)

    kept = _answered(lane, kind, key, found)
    return default if kept is None else kept[0]


def answering(
    owner: type, kind: str, name: str, key_of: Callable[[Any, dict[str, Any]], object]
) -> Patch:
    """Return the hook of a cache's method: what it answers is an event.

    Args:
        owner: the class of caches.
        kind: of the event; the method's name comes behind.
        name: of the method, whose first argument is a key of the cache.
        key_of: gets that and the options, and returns the event's key.
    """
    kind = f"{kind}.{name}"

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asking(self: Any, key: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self, key, *args, **options)
            live = functools.partial(original, self, key, *args, **options)
            return _answered(lane, kind, key_of(key, options), live)

        return asking

    return Patch(owner, name, factory)


def _answered(lane: native.Lane, kind: str, key: object, live: Callable[[], Any]) -> Any:
    """Return what the cache answers, recorded; or, on replay, what it answered."""
    kept = call(lane, kind, key, live)
    if lane.mode != REPLAY:
        return kept
    here = None
    with contextlib.suppress(Exception), mask():
        here = live()
    if _holds_opaque(kept):
        return here  # or a miss: the code makes what it needs, which it can't from a stand-in
    return copy.deepcopy(kept)  # the application may change it, and not the recording


def by_live_clock(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a cache's method that reckons when an entry ends, such that its clock is no event."""

    @functools.wraps(original)
    def reckon(*args: Any, **options: Any) -> Any:
        with mask():
            return original(*args, **options)

    return reckon


def _holds_opaque(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_opaque(one) for pair in value.items() for one in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return any(_holds_opaque(one) for one in value)
    return isinstance(value, Opaque)
