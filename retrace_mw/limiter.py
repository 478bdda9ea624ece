"""Limiter: keeps account of what is recorded, and says when it is enough."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
import weakref
from typing import TYPE_CHECKING

from retrace_core.forked import after_fork
from retrace_core.stats import count, counter
from retrace_mw.disk_guard import DiskGuard
from retrace_mw.overhead import OverheadGuard
from retrace_mw.token_bucket import TokenBucket
from retrace_mw.window import KeyedCap, SlidingCount

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.decision import Decision
    from retrace_mw.finished import FinishedRequest
    from retrace_mw.limits import Limits
    from retrace_mw.request import RequestView

__all__ = ["Limiter", "overhead", "route_of", "running"]

_SHARE_SPAN_S = 60.0
_SHARE_FROM = 500
"""Of so few requests in a minute any share may be recorded."""
_WARN_EVERY_S = 60.0
_VARYING = re.compile(r"(?<=/)(?:\d+|[0-9a-fA-F-]{16,})(?=/|$)")
_ADVICE = {
    "share": "more than {0.share:.0%} of the requests would be recorded; lower the rate, or"
    " raise the limit share (RETRACE_LIMITS_SHARE, 0 for none)",
    "overhead": "recording took more than {0.overhead:.0%} of the process's CPU and pauses;"
    " lower the rate, or raise the limit overhead (RETRACE_LIMITS_OVERHEAD, 0 for none)",
    "bytes_per_hour": "{0.bytes_per_hour} bytes were written within an hour; lower the rate, or"
    " raise the limit bytes_per_hour (RETRACE_LIMITS_BYTES_PER_HOUR, 0 for none)",
    "disk_free": "less than {0.free_bytes} bytes are free on the disk of the recordings; make"
    " room, or lower the limit free_bytes",
    "disk_used": "the folder of the recordings holds {0.disk_bytes} bytes; remove old ones, or"
    " raise the limit disk_bytes",
}

_logger = logging.getLogger("retrace")
_limiters: weakref.WeakSet[Limiter] = weakref.WeakSet()


class Limiter:
    """Keeps account of what is recorded in this process, and says when it is enough.

    What it refuses is counted as "suppressed.<reason>" (`retrace_core.stats`). A request that
    is not recorded costs it nothing but `seen`.

    Args:
        limits: what is allowed.
        path: the folder of the recordings.
        clock: seconds that only grow, for tests.
    """

    def __init__(
        self,
        limits: Limits,
        path: str = "recordings",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.seen = 0
        """Requests that were decided on, whatever the decision."""
        self.running = 0
        """Requests that are recorded now."""
        self.looks_at_the_end = limits.per_failure_per_hour > 0
        """True when a failed request that was decided at its start can still be suppressed."""
        self.overhead = OverheadGuard(limits.overhead, clock=clock)
        self.disk = DiskGuard(
            path, free_bytes=limits.free_bytes, used_bytes=limits.disk_bytes, clock=clock
        )
        self._clock = clock
        self._lock = threading.RLock()
        self._bucket = TokenBucket(per_s=limits.per_second, clock=clock)
        self._requests = SlidingCount(_SHARE_SPAN_S)
        self._kept = SlidingCount(_SHARE_SPAN_S)
        self._counted = 0
        self._counted_at = clock()
        self._bytes = SlidingCount(3600.0)
        self._written = counter("written_bytes")
        self._routes = KeyedCap(limits.per_route_per_minute, 60.0)
        self._failures = KeyedCap(limits.per_failure_per_hour, 3600.0)
        self._warned: dict[str, float] = {}
        _limiters.add(self)

    def moved(self, path: str) -> None:
        """Take note of the folder where recordings go from now on."""
        if os.path.abspath(path) != self.disk.path:
            self.disk = DiskGuard(
                path,
                free_bytes=self.limits.free_bytes,
                used_bytes=self.limits.disk_bytes,
                clock=self._clock,
            )

    def admits(self, request: RequestView, decision: Decision) -> bool:
        """Return whether a request may be recorded; what is not is counted by reason.

        A "tail" is checked for what a running recording costs only, a "yes" also for what
        is kept.
        """
        limits = self.limits
        with self._lock:
            if limits.at_once and self.running >= limits.at_once:
                reason = "at_once"
            elif self.overhead.pauses():
                reason = "overhead"
            else:
                reason = self.disk.full()
                if not reason and decision.verdict == "yes":
                    reason = self._enough(request, ended=False)
            if not reason:
                self.running += 1
        if reason:
            self._tell(reason)
            return False
        count("begun")
        return True

    def suppresses(self, finished: FinishedRequest, decision: Decision) -> bool:
        """Return whether a recording that would be kept is dropped; counted by reason.

        Args:
            finished: the request, at its end.
            decision: what was decided at its start, "yes" or "tail".
        """
        identity = finished.failure_identity if self.looks_at_the_end else ""
        reason = ""
        with self._lock:
            now = self._clock()
            first = bool(identity) and not self._failures.knows(identity)
            if identity and not self._failures.has_room(identity, now):
                reason = "per_failure"
            elif decision.verdict == "tail":
                reason = self._enough(finished.request, ended=True)
                if first and reason:
                    reason = ""  # the first of its kind is kept, whatever else there is
            if identity and not reason:
                self._failures.add(identity, now)
        if reason:
            self._tell(reason)
        return bool(reason)

    def ended(self, events: int = 0, kept: RequestView | None = None) -> None:
        """Take note that a request which was admitted is not recorded any more.

        Args:
            events: how many were recorded of it.
            kept: the request, where its recording is kept.
        """
        route = ""
        if kept is not None and self.limits.per_route_per_minute and not kept.counted:
            route = route_of(kept)
        with self._lock:
            if self.running:  # 0 in a child of a fork, which has what its parent had running
                self.running -= 1
            self.overhead.add(events)
            if route:
                self._routes.add(route, self._clock())

    def _enough(self, request: RequestView, *, ended: bool) -> str:
        """Return why one more may not be kept, or "" and take it into account.

        Its route is asked for where it is known, or counts: to find it at the start takes as long
        as the framework's routing does, and is done twice then.
        """
        limits, now = self.limits, self._clock()
        written = counter("written_bytes")
        fresh, self._written = max(0, written - self._written), written
        hour = self._bytes.add(fresh, now)
        if limits.bytes_per_hour and hour >= limits.bytes_per_hour:
            return "bytes_per_hour"
        requests, kept = self._seen_lately(now), self._kept.add(0, now)
        if limits.share and requests >= _SHARE_FROM and kept + 1 > limits.share * requests:
            return "share"
        route = ""
        if limits.per_route_per_minute and (ended or not self._routes.is_far(self.running, now)):
            route = route_of(request)
        if route and not self._routes.has_room(route, now):
            return "per_route"
        if limits.per_second and not self._bucket.take():
            return "per_second"
        if route:
            self._routes.add(route, now)
            request.counted = True
        self._kept.add(1, now)
        return ""

    def _seen_lately(self, now: float) -> int:
        """Return how many requests there were in the last minute.

        `seen` is looked at here only, so that a request that is not recorded costs no more
        than an increment; what came since the last look is taken to have come evenly.
        """
        fresh, self._counted = self.seen - self._counted, self.seen
        since, self._counted_at = now - self._counted_at, now
        if since > _SHARE_SPAN_S:
            fresh = round(fresh * _SHARE_SPAN_S / since)
        return self._requests.add(fresh, now)

    def _tell(self, reason: str) -> None:
        count(f"suppressed.{reason}")
        if reason not in _ADVICE:
            return
        with self._lock:
            now = self._clock()
            last = self._warned.get(reason)
            if last is not None and now - last < _WARN_EVERY_S:
                return
            self._warned[reason] = now
        _logger.warning(
            "retrace: new requests are not recorded: %s", _ADVICE[reason].format(self.limits)
        )


def route_of(request: RequestView) -> str:
    """Return by what a request's route is told from others.

    The framework's pattern where it is known; else method and path, with numbers and ids in
    the path left out.
    """
    pattern: str = getattr(request, "route", "") or ""
    return f"{request.method} {pattern or _VARYING.sub('*', request.path)}"


def running() -> int:
    """Return how many requests are recorded now in this process."""
    return sum(limiter.running for limiter in list(_limiters))


def overhead() -> float:
    """Return the part of the process's CPU that recording took in the last whole window."""
    return max((limiter.overhead.share for limiter in list(_limiters)), default=0.0)


def _after_fork() -> None:
    # What the parent records is not running here, and a thread may have held the lock.
    for limiter in list(_limiters):
        limiter._lock = threading.RLock()
        limiter.running = 0


after_fork(_after_fork)
