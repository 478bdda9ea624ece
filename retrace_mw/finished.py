"""FinishedRequest: what a tail decision may see of a request when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrace_core.recording import Failure
    from retrace_mw.request import RequestView

__all__ = ["FinishedRequest"]


@dataclass(frozen=True, slots=True)
class FinishedRequest:
    """A request that has ended, with what came of it."""

    request: RequestView
    """What came in; `request.route` is known by now where the framework tells it."""
    status: int
    """The response's status, or 0 where none was begun."""
    headers: tuple[tuple[str, str], ...]
    """The response's headers as the application gave them."""
    failure: Failure | None
    """The exception that escaped, or was handled and logged as an error (`failure.handled`)."""
    duration_s: float
    """From the request's start to the end of its response, in seconds."""
    complete: bool
    """False when the client went away, or the application failed, before the end."""

    def header(self, name: str, default: str = "") -> str:
        """Return the first value of a response header, given in any case."""
        wanted = name.lower()
        return next((value for given, value in self.headers if given.lower() == wanted), default)

    @property
    def failure_identity(self) -> str:
        """Where and as what it failed, "type at file:line", or "" where it did not.

        The place is the innermost line of the traceback.
        """
        if self.failure is None:
            return ""
        frames = self.failure.frames
        place = f" at {frames[-1].file}:{frames[-1].line}" if frames else ""
        return f"{self.failure.type}{place}"
