"""FinishedRequest: what a tail decision may see of a request when it has ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrace_core.recording import Failure
    from retrace_mw.request import RequestView

__all__ = ["FinishedRequest", "route_of"]

_VARYING = re.compile(r"/[^/]*\d[^/]*")


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


def route_of(finished: FinishedRequest) -> str:
    """Return the route that served a request, "GET /orders/{id}", for keeping accounts by it.

    Where the framework tells none it is the path, with each part that has a digit in it, as
    ids have, made "*". That bounds nothing: whoever keeps accounts must bound their number.
    """
    request = finished.request
    route: str = getattr(request, "route", "") or _VARYING.sub("/*", request.path)
    return f"{request.method} {route}"
