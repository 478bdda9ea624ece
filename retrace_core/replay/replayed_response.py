"""Replayed response: keeps what comes out of the application, as its middleware tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.failure import describe
from retrace_core.replay.divergence import DivergedError
from retrace_core.replay.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["ReplayedResponse"]


class ReplayedResponse:
    """The half of a replay's scope that the middleware speaks to; it is all in `outcome`."""

    def __init__(self) -> None:
        self.over = False
        """True when the request's own code has come to its end; what it began may go on."""
        self.outcome = Outcome()
        self._on_failure: Callable[[BaseException], None] | None = None

    def when_failing(self, call: Callable[[BaseException], None]) -> None:
        """Have `call` called with an exception that is kept, at that moment."""
        self._on_failure = call

    def request_body(self, chunk: bytes) -> None:
        """Do nothing: the body is the recorded one."""

    def request_body_failed(self, error: BaseException) -> None:
        """Do nothing, as `request_body`."""

    def response_start(self, status: int, reason: str, headers: Sequence[tuple[Any, Any]]) -> None:
        """Keep the status line and headers that came out."""
        self.outcome.start(status, reason, headers)

    def response_body(self, chunk: bytes) -> None:
        """Keep a chunk that came out."""
        self.outcome.say(bytes(chunk))

    def response_end(self, complete: bool) -> None:
        """Keep whether the whole response came out."""
        self.outcome.complete = complete

    def said(self, message: Mapping[str, Any]) -> None:
        """Keep a message that went out on a web socket."""
        self.outcome.messages.append(dict(message))

    def said_elsewhere(self, message: object) -> None:
        """Do nothing: what code outside of the lanes does is not replayed."""

    def close(self) -> None:
        """Do nothing: the driver ends the replay."""

    def failed(self, error: BaseException) -> None:
        """Keep the exception that left the application."""
        if not isinstance(error, DivergedError) and self.outcome.error is None:
            self.outcome.error = error
            self.outcome.failure = describe(error)  # now: more frames come as it goes up
            if self._on_failure is not None:
                self._on_failure(error)

    def handled(self, error: BaseException) -> None:
        """Keep the first exception that the application handled, and logged as an error."""
        if self.outcome.handled is None:
            self.outcome.handled = error
            self.outcome.failure = self.outcome.failure or describe(error, handled=True)
            if self._on_failure is not None:
                self._on_failure(error)
