"""HTTP exchange: what all HTTP clients' boundaries share."""

from __future__ import annotations

import functools
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from retrace_core import failsafe
from retrace_core.boundary import attempt, in_replay
from retrace_core.checksum import checksum_of
from retrace_core.ids import call_span_id
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from retrace_core import native

__all__ = [
    "UNRECORDED",
    "Unrecorded",
    "connecting",
    "exchange_key",
    "headers_of_call",
    "headers_to_send",
    "missing_headers",
]


class Unrecorded(Protocol):
    """A request that is not recorded, but hands on its trace all the same."""

    def headers_of_call(self) -> tuple[tuple[str, str], ...]:
        """Return what the next outgoing call carries; made when the first of them asks."""
        ...

    @property
    def trace_name(self) -> str:
        """What people search for: the name given to the trace, or its id."""
        ...


UNRECORDED: ContextVar[Unrecorded | None] = ContextVar("retrace_unrecorded", default=None)
"""The request of the current context, while it is served and not recorded."""

_USERINFO = re.compile(r"(?<=://)[^/?#@]*@")


def connecting(stub: Callable[[Any], None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what hooks `connect`: a failure is an event, and a replay connects to nobody.

    Args:
        stub: makes a connection one to nobody, on replay.
    """

    def factory(connect: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(connect)
        def connected(self: Any) -> None:
            lane = current()
            if lane is None:
                return stub(self) if in_replay() else connect(self)
            key = f"{self.host}:{self.port}"
            return attempt(lane, "http.connect", key, lambda: connect(self), lambda: stub(self))

        return connected

    return factory


def exchange_key(method: str, url: str, body: object = None) -> object:
    """Return what an exchange asks: "METHOD url", and the checksum of a body in memory.

    Args:
        method: as sent.
        url: absolute; user name and password in it are masked.
        body: bytes or text; a streamed body is not looked at.
    """
    asked = f"{method} {_USERINFO.sub('***@', url)}"
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes | bytearray) and body:
        return (asked, checksum_of(body))
    return asked


def missing_headers(
    headers: Iterable[tuple[str, str]], given: Container[str]
) -> list[tuple[str, str]]:
    """Return the headers that a carrier does not have yet.

    What an instrumentation of the user's own has put there (OpenTelemetry's traceparent)
    stays as it is.

    Args:
        headers: the scope's outgoing ones.
        given: the carrier's, or their names in lower case.
    """
    return [(name, value) for name, value in headers if name.lower() not in given]


def headers_of_call(
    headers: tuple[tuple[str, str], ...], span_id: str, number: int
) -> tuple[tuple[str, str], ...]:
    """Return the headers of one outgoing call: the request's, with a span id of its own.

    Args:
        headers: the request's outgoing ones.
        span_id: the request's own; it stands in `traceparent`, and in B3's headers.
        number: of the call.
    """
    own = call_span_id(span_id, number)
    if own == span_id:
        return headers
    return tuple([(name, value.replace(span_id, own)) for name, value in headers])


def headers_to_send(lane: native.Lane | None) -> tuple[tuple[str, str], ...]:
    """Return the headers by which the next outgoing call carries the trace, () for none.

    Args:
        lane: the current one; without one the request may be unrecorded, and hands on its trace.
    """
    if isinstance(lane, Lane):
        return headers_of_call(lane.scope.outgoing_headers, lane.scope.span_id, lane.next_call())
    unrecorded = UNRECORDED.get()
    if unrecorded is not None:
        with failsafe.gate("outgoing headers"):
            return unrecorded.headers_of_call()
    return ()
