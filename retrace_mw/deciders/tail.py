"""KeepIf, KeepIfFailed, KeepIfSlower: recorded provisionally, judged by the end of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import Decision
from retrace_mw.statuses import status_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["KeepIf", "KeepIfFailed", "KeepIfSlower"]


class KeepIf:
    """Records provisionally, and keeps what a predicate of yours says yes to.

    Args:
        predicate: gets the request at its end; true keeps the recording. One that raises
            drops it, and is counted.
        reason: why it is kept, in words; default: the predicate's name.

    Raises:
        ConfigurationError: the predicate can't be called.
    """

    __slots__ = ("_no", "_tail", "_yes", "predicate", "reason")

    def __init__(self, predicate: Callable[[FinishedRequest], object], *, reason: str = "") -> None:
        if not callable(predicate):
            raise ConfigurationError("KeepIf", predicate, "a function of the finished request")
        self.predicate = predicate
        self.reason = reason
        said = reason or getattr(predicate, "__qualname__", repr(predicate))
        self._tail = Decision("tail", f"kept if {said}", "KeepIf", self._keep)
        self._yes = Decision("yes", said, "KeepIf")
        self._no = Decision("no", f"not {said}", "KeepIf")

    def __repr__(self) -> str:
        name = getattr(self.predicate, "__qualname__", repr(self.predicate))
        return f"KeepIf({name}, reason={self.reason!r})" if self.reason else f"KeepIf({name})"

    def __call__(self, request: RequestView) -> Decision:
        """Return "tail"."""
        return self._tail

    def _keep(self, finished: FinishedRequest) -> Decision:
        return self._yes if self.predicate(finished) else self._no


class KeepIfFailed:
    """Records provisionally, and keeps what failed.

    Args:
        statuses: response statuses that are failures, as numbers (502), classes ("5xx") and
            ranges ("500-504"); default all of 5xx.
        escaped: an exception that left the application is a failure; default True.
        logged: so is one that was handled and logged at level ERROR or above; default True.

    Raises:
        ConfigurationError: a status is none, or nothing would be a failure.
    """

    __slots__ = ("_no", "_statuses", "_tail", "escaped", "logged", "statuses")

    def __init__(
        self,
        *,
        statuses: Iterable[int | str] = ("5xx",),
        escaped: bool = True,
        logged: bool = True,
    ) -> None:
        self.statuses = (statuses,) if isinstance(statuses, str | int) else tuple(statuses)
        self._statuses = frozenset(code for one in self.statuses for code in status_codes(one))
        self.escaped = escaped
        self.logged = logged
        if not (self._statuses or escaped or logged):
            raise ConfigurationError("statuses", self.statuses, "at least one kind of failure")
        self._tail = Decision("tail", "kept if it fails", "KeepIfFailed", self._keep)
        self._no = Decision("no", "it did not fail", "KeepIfFailed", warms=True)

    def __repr__(self) -> str:
        given = [] if self.statuses == ("5xx",) else [f"statuses={self.statuses!r}"]
        given += [f"{name}=False" for name in ("escaped", "logged") if not getattr(self, name)]
        return f"KeepIfFailed({', '.join(given)})"

    def __call__(self, request: RequestView) -> Decision:
        """Return "tail"."""
        return self._tail

    def _keep(self, finished: FinishedRequest) -> Decision:
        failure = finished.failure
        if failure is not None and (self.logged if failure.handled else self.escaped):
            how = "handled and logged" if failure.handled else "escaped"
            return Decision("yes", f"{failure.type} {how}", "KeepIfFailed")
        if finished.status in self._statuses:
            return Decision("yes", f"status {finished.status}", "KeepIfFailed")
        return self._no


class KeepIfSlower:
    """Records provisionally, and keeps what took longer than a threshold.

    Args:
        than_s: from the request's start to the end of its response, in seconds. A client
            that reads slowly makes a streamed response slow.

    Raises:
        ConfigurationError: it is no number above 0.
    """

    __slots__ = ("_no", "_tail", "than_s")

    def __init__(self, than_s: float) -> None:
        if isinstance(than_s, bool) or not isinstance(than_s, int | float) or not than_s > 0:
            raise ConfigurationError("than_s", than_s, "a number of seconds above 0")
        self.than_s = float(than_s)
        self._tail = Decision("tail", f"kept if over {than_s:g} s", "KeepIfSlower", self._keep)
        self._no = Decision("no", f"not over {than_s:g} s", "KeepIfSlower", warms=True)

    def __repr__(self) -> str:
        return f"KeepIfSlower({self.than_s!r})"

    def __call__(self, request: RequestView) -> Decision:
        """Return "tail"."""
        return self._tail

    def _keep(self, finished: FinishedRequest) -> Decision:
        if finished.duration_s <= self.than_s:
            return self._no
        reason = f"took {finished.duration_s:.3g} s, over {self.than_s:g} s"
        return Decision("yes", reason, "KeepIfSlower")
