"""whenever: what time it is, to the nanosecond, where the library is in Rust and asks by itself.

Hooks: the class methods that ask for the current time, or for the current day. On replay the
library's own method is told what time it is, by what it has for tests of its users; so zones and
offsets are its own. Read in whenever 0.8 to 0.11.
"""

from __future__ import annotations

import calendar
import functools
import importlib
import threading
import time
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_Rust: Any = importlib.import_module("whenever._whenever")
_MOMENTS = ("Instant", "ZonedDateTime", "OffsetDateTime", "SystemDateTime")
_NOW = ("now", "now_in_system_tz")
_TODAY = ("today", "today_in_system_tz")
_PER_SECOND = 1_000_000_000
_told = threading.Lock()
"""Held while the library is told a time: it is told so for all threads."""


def _nanoseconds(moment: Any) -> int:
    """Return nanoseconds since 1970, by the moment's text: each version writes that alike."""
    if not isinstance(moment, _Rust.Instant):
        moment = (getattr(moment, "to_instant", None) or moment.instant)()
    whole, _, part = str(moment).rstrip("Z").replace(" ", "T").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * _PER_SECOND + int(part.ljust(9, "0"))


def _at(nanoseconds: int, live: Callable[[], Any]) -> Any:
    """Return what the library answers at that time."""
    seconds, part = divmod(nanoseconds, _PER_SECOND)
    instant = _Rust.Instant.from_utc(*time.gmtime(seconds)[:6], nanosecond=part)
    with _told:
        _Rust._patch_time_frozen(instant)
        try:
            return live()
        finally:
            _Rust._unpatch_time()


def _day(day: Any) -> list[int]:
    return [day.year, day.month, day.day]


def _now(kind: str) -> Callable[[Any], Any]:
    """Return what hooks a class method that asks for the current time."""

    def hook(original: Any) -> Any:
        @functools.wraps(original)
        def now(cls: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            live = functools.partial(original.__get__(None, cls), *args, **options)
            if lane is None:
                return live()
            key = [str(one) for one in args] or None
            if lane.mode != REPLAY:
                return call(lane, kind, key, live, _nanoseconds)
            return call(lane, kind, key, live, None, lambda kept: _at(kept, live))

        return classmethod(now)

    return hook


def _today(kind: str) -> Callable[[Any], Any]:
    """Return what hooks a class method that asks for the current day."""

    def hook(original: Any) -> Any:
        @functools.wraps(original)
        def today(cls: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            live = functools.partial(original.__get__(None, cls), *args, **options)
            if lane is None:
                return live()
            key = [str(one) for one in args] or None
            return call(lane, kind, key, live, _day, lambda kept: cls(*kept))

        return classmethod(today)

    return hook


def _patches(hook: Any, classes: tuple[str, ...], names: tuple[str, ...]) -> list[Patch]:
    return [
        Patch(owner, name, hook(f"whenever.{owner.__name__}.{name}"))
        for owner in (getattr(_Rust, known, None) for known in classes)
        if owner is not None
        for name in names
        if name in vars(owner)
    ]


BOUNDARY = Boundary(
    kind="whenever",
    supports="whenever>=0.8",
    hooks=(*_patches(_now, _MOMENTS, _NOW), *_patches(_today, ("Date",), _TODAY)),
    errors=("whenever",),
)
