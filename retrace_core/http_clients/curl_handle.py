"""A handle of curl_cffi's: where its transfer goes, and who gets what comes.

Each piece of headers and body is an event as it comes: who reads a body as it streams has some of
it before the transfer is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from retrace_core.http_clients.http_exchange import exchange_key
from retrace_core.native import now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PERFORM", "PIECE", "CurlHandle", "Sink", "failure_of", "handle_of"]

PERFORM: Final = "curl_cffi.perform"
"""Kind of the event of a transfer; its value is None, or how it failed."""
PIECE: Final = "curl_cffi.piece"
"""Kind of the events of what came; their key is "headers" or "body"."""
_OURS = "_retrace_handle"
_NAMES = ("headers", "body")


class Sink:
    """A function of the application's that gets pieces, each of which is recorded.

    Args:
        name: of what it gets the pieces.
        given: the function, or a file to write to.
    """

    def __init__(self, name: str, given: Any) -> None:
        self.function: Callable[[bytes], Any] = getattr(given, "write", given)
        self.lane: Any = None
        self._name = name

    def __call__(self, piece: bytes) -> Any:
        if self.lane is not None:
            self.lane.record(PIECE, self._name, RETURNED, piece, now_ns())
        return self.function(piece)

    write = __call__


@dataclass(slots=True)
class CurlHandle:
    """The options of one that a recording is about."""

    url: str = ""
    method: str = ""
    body: Any = None
    sinks: dict[str, Sink] = field(default_factory=dict)

    def asked(self) -> object:
        """Return the key of the event of a transfer."""
        return exchange_key(self.method or "GET", self.url, self.body)

    def records_in(self, lane: Any) -> None:
        """Record in a lane what comes from now on; in none by None."""
        for one in self.sinks.values():
            one.lane = lane

    def next_of(self, lane: Any) -> str | None:
        """Return of what the next piece is that a replay gives, None where no more came."""
        if not lane.scope.comes_next(lane, PIECE):
            return None
        return next((name for name in _NAMES if lane.scope.comes(lane, PIECE, name)), None)

    def get(self, lane: Any, name: str, piece: Any) -> None:
        """Hand a piece to who gets such, as inside of the transfer."""
        sink = self.sinks.get(name)
        lane.busy += 1
        try:
            if sink is not None:
                sink.function(piece)
        finally:
            lane.busy -= 1


def failure_of(error: Any) -> list[Any]:
    """Return a `CurlError` as plain data, its arguments."""
    return [str(error), int(error.code)]


def handle_of(curl: Any) -> CurlHandle:
    """Return what is known of a `curl_cffi.Curl`."""
    found: CurlHandle | None = vars(curl).get(_OURS)
    if found is None:
        found = vars(curl)[_OURS] = CurlHandle()
    return found
