"""asyncpg's stub: its own connection and protocol, with a recording in the server's place.

What the server said is read by asyncpg's protocol object itself, so that records, codecs,
prepared statements and errors on replay are its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.protocol import Protocol

from retrace_core.boundary import call_async, mask
from retrace_core.databases.postgresql.asyncpg_answers import (
    NOTHING,
    described,
    failed,
    neutral,
    status,
    welcome,
)
from retrace_core.databases.postgresql.asyncpg_exchanges import (
    COPY_IN,
    COPY_OUT,
    EXCHANGES,
    Fed,
    asked,
    used_up,
)
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["StubProtocol", "stub"]

_BASE: Any = Protocol.__mro__[1]
"""asyncpg's own class, below what is hooked."""
_MANY = ("bind_execute_many",)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
)


class StubTransport(asyncio.Transport):
    """A transport to nowhere."""

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._protocol = protocol
        self._loop = loop
        self._closing = False

    def write(self, data: Any) -> None:
        """Drop what is sent."""

    def writelines(self, list_of_data: Any) -> None:
        """Drop what is sent."""

    def pause_reading(self) -> None:
        """Do nothing: nothing comes."""

    def resume_reading(self) -> None:
        """Do nothing: nothing comes."""

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._closing

    def close(self) -> None:
        """Say that the connection is lost."""
        if not self._closing:
            self._closing = True
            self._protocol.connection_lost(None)

    abort = close


class StubProtocol(Protocol):  # type: ignore[misc,unused-ignore]
    """asyncpg's protocol, which reads recorded answers."""

    describing: Mapping[str, Any] | None = None
    """How the statement is described that is being prepared."""

    def _state(self) -> str:
        return "T" if self.is_in_transaction() else "I"

    def _driven(self, work: Any, said: bytes) -> Any:
        """Return what `work` returns, which waits for nothing but the server's answer."""
        with mask():
            given = False
            while True:
                try:
                    awaited = work.send(None)
                except StopIteration as stop:
                    return stop.value
                if awaited is None:
                    continue  # it lets others run
                if given:
                    work.close()
                    raise LiveCallRefused("asyncpg", "a server, for more than it had said")
                self.data_received(said)
                given = True

    async def answered(self, kind: str, key: Any, nothing: Callable[[], Any]) -> Any:
        """Return what was recorded, or `nothing` where nothing was to be."""
        lane = current()
        if lane is None:
            return nothing()
        if lane.mode != REPLAY:
            raise LiveCallRefused(kind, "a server that is a recording")

        async def unrecorded() -> Any:
            return nothing()

        try:
            return await call_async(lane, kind, key, unrecorded)
        except _LOST:
            self.connection_lost(None)
            raise

    async def _exchanged(self, name: str, given: dict[str, Any]) -> Any:
        failed: Exception | None = None
        if name in _MANY:
            rows, failed = used_up(given["args"])
            given = {**given, "args": rows}
        sql, key = asked(given)
        try:
            said = await self.answered(
                f"asyncpg.{name}", key, lambda: neutral(sql, self._state())[1]
            )
        except Exception:
            if failed is not None:
                raise failed from None
            raise
        state = given.get("state")
        if state is not None and "args" in given and not state._get_parameters():
            # As is described what nothing was recorded of, whatever it is given.
            given = {**given, "args": [() for _ in given["args"]] if name in _MANY else ()}
        return self._driven(getattr(_BASE, name)(self, **given), said)

    def prepare(self, *args: Any, **kwargs: Any) -> Any:
        """Return the statement, as its description was recorded."""
        said = described(self.describing or NOTHING)
        if self.describing is not None and "failed" in self.describing:
            said = failed(self.describing["failed"], self._state())

        async def preparing() -> Any:
            return self._driven(_BASE.prepare(self, *args, **kwargs), said)

        return preparing()

    async def copy_in(self, *args: Any, **kwargs: Any) -> Any:
        """Use up what the application feeds, and say what was recorded."""
        given = {**dict(zip(EXCHANGES["copy_in"], args, strict=False)), **kwargs}
        fed, own_error = Fed(current()), None
        source = fed.given(given)
        try:
            if hasattr(source.get("reader"), "__aiter__"):
                async for _ in source["reader"]:
                    pass
            elif hasattr(source.get("records"), "__aiter__"):
                async for _ in source["records"]:
                    pass
            elif source.get("records") is not None:
                for _ in source["records"]:
                    pass
        except Exception as error:  # noqa: BLE001  # raised below, after the recorded outcome
            own_error = error
        key = [given["copy_stmt"], fed.sum]
        try:
            said = await self.answered(COPY_IN, key, lambda: {"status": "COPY 0"})
        except Exception:
            if own_error is not None:
                raise own_error from None
            raise
        return self._finished(given["copy_stmt"], said)

    async def copy_out(self, *args: Any, **kwargs: Any) -> Any:
        """Give what was recorded to the application."""
        given = {**dict(zip(EXCHANGES["copy_out"], args, strict=False)), **kwargs}
        key = [given["copy_stmt"]]
        while True:
            said = await self.answered(COPY_OUT, key, lambda: {"status": "COPY 0"})
            if not isinstance(said, bytes):
                return self._finished(given["copy_stmt"], said)
            try:
                await given["sink"](said)
            except BaseException:
                await self.answered(COPY_OUT, key, lambda: {"status": ""})
                raise

    def _finished(self, sql: str, said: Any) -> Any:
        fields = said.get("failed")
        state = self._state()
        answer = status(said["status"], state) if fields is None else failed(fields, state)
        return self._driven(_BASE.query(self, sql, None), answer)

    async def close_statement(self, *_: Any, **__: Any) -> None:
        """Do nothing: the server does not know the statement."""

    async def close(self, timeout: Any) -> None:  # noqa: ASYNC109  # the name is asyncpg's
        """Close the connection."""
        try:
            await self.answered("asyncpg.close", None, lambda: None)
        finally:
            self.abort()


def _exchange(name: str) -> Any:
    names = EXCHANGES[name]

    def exchanging(self: StubProtocol, *args: Any, **kwargs: Any) -> Any:
        return self._exchanged(name, {**dict(zip(names, args, strict=False)), **kwargs})

    return exchanging


for _name in EXCHANGES:
    if not _name.startswith("copy"):
        setattr(StubProtocol, _name, _exchange(_name))


def stub(
    session: Mapping[str, str],
    *,
    addr: Any,
    loop: Any,
    params: Any,
    config: Any,
    connection_class: Any,
    record_class: Any,
    **_: Any,
) -> Any:
    """Return a connection of the application's class that a recording answers.

    Args:
        session: what the server says of itself, setting -> value.
        addr, loop, params, config, connection_class, record_class: as asyncpg's own
            `connect_utils._connect_addr` gets them.
    """
    with mask():
        protocol = StubProtocol(addr, loop.create_future(), params, record_class, loop)
        transport = StubTransport(protocol, loop)
        protocol.connection_made(transport)
        protocol.data_received(welcome(session))
        made = connection_class(protocol, transport, loop, addr, config, params)
        protocol.set_connection(made)
    return made
