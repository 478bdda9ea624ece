"""Connection: one of an application's own protocol, and which recordings hear what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.boundary import call, mask
from retrace_core.native import LANE
from retrace_core.sockets.own_transport.hearing import Hearing
from retrace_core.sockets.own_transport.transport_info import info_of
from retrace_core.sockets.sent_key import asks_for_secret, sent_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

__all__ = ["SENT", "Connection", "asked"]

SENT = "transport.send"


class Connection:
    """What is known of one.

    Args:
        peer: where it leads, in words.
    """

    __slots__ = ("_paused", "hearings", "inner", "is_asked", "peer", "transport")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.inner: Any = None
        """The application's protocol."""
        self.transport: Any = None
        """What the application writes to, as long as there is a connection."""
        self.hearings: list[Hearing] = []
        """In the order in which they began to use it; mostly there are none."""
        self.is_asked = False
        """Whether the other end has asked for a part of a login."""
        self._paused: list[str] | None = None
        """While something is written: what the protocol was told meanwhile."""

    def heard_by(self, lane: Lane, hearing_id: str = "") -> bool:
        """Have the recording of a lane hear it from now on; False where it does already."""
        if any(one.scope is lane.scope for one in self.hearings):
            return False
        self.hearings = [one for one in self.hearings if one.stays(lane)]
        self.hearings.append(Hearing(lane, self.peer, hearing_id))
        return True

    def is_used(self) -> None:
        """Take note that something is written outside of a recording.

        What the start-up began hears it no more: what is told from now on answers others.
        """
        if self.hearings:
            self.hearings = [one for one in self.hearings if one.stays(None)]

    def is_used_in(self, lane: Lane) -> None:
        """Take note that code of a lane writes to it, or closes it."""
        for one in self.hearings:
            one.writes += one.scope is lane.scope

    def send(
        self, lane: Lane, transport: Any, data: Any, to: object, live: Callable[[], None]
    ) -> None:
        """Write something, in a lane.

        Args:
            lane: whose code writes.
            transport: to which.
            data: what is written.
            to: where a datagram goes, None where that is known.
            live: writes it.
        """
        added: dict[str, Any] = {}
        with failsafe.gate("hear a transport"):
            if self.heard_by(lane):
                added["info"] = info_of(transport)
            self.is_used_in(lane)

        def masked() -> None:
            told = self._paused = list[str]()
            try:
                with mask():
                    live()
            finally:
                self._paused = None
            if told:
                added["told"] = told

        call(lane, SENT, asked(self, data, to), masked, lambda _: added or None)

    def told(self, what: str, value: object, tell: Callable[..., Any], *args: Any) -> Any:
        """Tell the application's protocol something, which those that hear it take note of.

        Args:
            what: the name of the protocol's method.
            value: what it is told, as a value of the codec.
            tell: the method.
            args: of it.
        """
        if self._paused is not None:  # within a write, whose event says so
            self._paused.append(what)
            return tell(*args)
        lane = None
        with failsafe.gate("hear a transport"):
            if type(value) is bytes:
                self.is_asked = asks_for_secret(value)
            self.hearings = [one for one in self.hearings if one.is_on]
            for one in self.hearings:
                lane = one.note(what, value)
        if lane is None:
            return tell(*args)
        token = LANE.set(lane)
        try:
            return tell(*args)
        finally:
            LANE.reset(token)
            with failsafe.gate("hear a transport"):
                for one in self.hearings:
                    one.noted()


def asked(connection: Any, data: Any, to: object) -> object:
    """Return what stands in the key for something that is written.

    Args:
        connection: over which; this one, or that of a replay.
        data, to: as for `Connection.send`.
    """
    peer = connection.peer if to is None else str(to)
    return [peer, sent_key(bytes(data), secret=connection.is_asked)]
