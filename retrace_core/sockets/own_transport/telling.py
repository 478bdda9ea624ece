"""Telling: on replay a protocol is told again what the recording had heard, in the same turns."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Protocol

from retrace_core.boundary import mask
from retrace_core.errors import NotOnTape
from retrace_core.native import LANE
from retrace_core.sockets.own_transport.hearing import (
    HEARD,
    MADE,
    READABLE,
    TLS,
    WRITABLE,
    is_of_chapter,
    kind_of,
)

if TYPE_CHECKING:
    from retrace_core.lanes import Lane

__all__ = ["Telling", "telling_of"]


class Told(Protocol):
    """Whom it is told by: the transport of a connection, or what stands for a socket's loop."""

    peer: str

    async def ready_for(self, what: str) -> None:
        """Wait until the code is ready for something."""

    def tell(self, what: str, value: Any) -> None:
        """Tell it."""

    def was_told(self) -> None:
        """Take note that all is told."""


class Telling:
    """What the replay of one recording, or of the start-up, tells of one connection.

    Args:
        lane: whose code opens it, or is the first of the recording to write to it.
        transport: of the connection.
        hearing_id: by which it was known while it was recorded; by default the lane's next.
    """

    def __init__(self, lane: Lane, transport: Told, hearing_id: str = "") -> None:
        self.scope = lane.scope
        self.over = False
        """True once all is told."""
        self._first, self._id = lane, hearing_id or lane.next_future_id()
        self._transport = transport
        self._writes = 0
        self._wrote = asyncio.Event()
        self._waits: dict[str, asyncio.Future[bool]] = {}
        self._kinds: list[str] = []
        self._secures = asyncio.Event()
        self._own = lane.scope.spawn(lane, self._id) if is_of_chapter(lane) else None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to tell."""
        work = self._tell_chapter(self._own) if self._own is not None else self._tell(self._heard())
        with mask():
            self._task = asyncio.get_running_loop().create_task(work)

    def _heard(self) -> list[Lane]:
        lanes: list[Lane] = []
        for number in itertools.count():
            lane = self.scope.expect(self._first, f"{self._id}.{number}")
            if lane is None:
                break
            lanes.append(lane)
            kinds = (MADE, TLS, READABLE, WRITABLE)
            found = [one for one in kinds if self.scope.comes(lane, one, None)]
            self._kinds.append(found[0] if found else HEARD)
        return lanes

    def has_any(self) -> bool:
        """Return True where a request has anything to tell, once it has begun."""
        return bool(self._kinds)

    @property
    def next_kind(self) -> str:
        """The kind of what a request is told next, once it has begun; "" for nothing."""
        return self._kinds[0] if self._kinds else ""

    async def wait_for(self, kind: str) -> bool:
        """Wait until it is told that there is a connection, or TLS; False where it never is."""
        if self.over or (self._own is None and kind not in self._kinds):
            return False
        if kind == TLS:
            self._secures.set()
        self._waits[kind] = asyncio.get_running_loop().create_future()
        return await self._waits[kind]

    def wrote(self) -> None:
        """Take note that something was written."""
        self._writes += 1
        self._wrote.set()

    async def _tell(self, lanes: list[Lane]) -> None:
        try:
            for lane in lanes:
                said: Any = await self.scope.answer_async(lane, self._kinds[0], None)
                await self._come(self._kinds[0])
                await self._transport.ready_for(said[0])
                self._run(lane, *said)
                self._has_told(self._kinds.pop(0))
                lane.end()
            self._finish()
        except BaseException as error:  # noqa: BLE001  # whoever waits must not wait for ever
            for lane in lanes:
                lane.end()
            self._finish(error)

    async def _tell_chapter(self, lane: Lane) -> None:
        try:
            said: Any = await self.scope.answer_async(lane, MADE, [self._transport.peer])
            serial, info = said
            if info is not None:
                self._run(lane, "connection_made", info)
            self._has_told(MADE, told=info is not None)
            for number in itertools.count(info is not None):
                said = await self.scope.answer_async(lane, HEARD, [serial, number])
                what, value, writes = said
                while self._writes < writes:
                    self._wrote.clear()
                    await self._wrote.wait()
                await self._come(kind_of(what))
                await self._transport.ready_for(what)
                self._run(lane, what, value)
                self._has_told(kind_of(what))
        except NotOnTape:
            self._finish()
        except BaseException as error:  # noqa: BLE001  # as above
            self._finish(error)

    async def _come(self, kind: str) -> None:
        """Wait until the code has come to where it waits for it, for TLS."""
        if kind == TLS:
            await self._secures.wait()
            self._secures.clear()

    def _run(self, lane: Lane, what: str, value: object) -> None:
        token = LANE.set(lane)
        try:
            self._transport.tell(what, value)
        finally:
            LANE.reset(token)

    def _has_told(self, kind: str, *, told: bool = True) -> None:
        waits = self._waits.pop(kind, None)
        if waits is not None and not waits.done():
            waits.set_result(told)

    def _finish(self, error: BaseException | None = None) -> None:
        self.over = True
        for waits in self._waits.values():
            if waits.done():
                continue
            if error is None or isinstance(error, asyncio.CancelledError):
                waits.set_result(False)
            else:
                waits.set_exception(error)
        self._transport.was_told()


def telling_of(lane: Lane, transport: Told, tellings: list[Telling]) -> Telling:
    """Return what tells what the recording of a lane had heard; begin it if need be.

    Args:
        lane: whose code uses the connection.
        transport: of the connection.
        tellings: those that have begun; a new one is added.
    """
    for one in tellings:
        if one.scope is lane.scope:
            return one
    telling = Telling(lane, transport)
    tellings.append(telling)
    telling.begin()
    return telling
