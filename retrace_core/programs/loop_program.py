"""Loop program: a program that is started by the event loop itself, as anyio does.

What it says, to the protocol that the application gave, is an event each time, in a lane of its
own. On replay it is not started: the protocol is told what was recorded, in its turn, and what
goes to the program goes nowhere.
"""

from __future__ import annotations

import asyncio
import functools
import os
from typing import TYPE_CHECKING, Any, Final

from retrace_core import failsafe
from retrace_core.boundary import call, call_async, mask
from retrace_core.concurrency.loop_steps import answered
from retrace_core.files.file_access import world_text
from retrace_core.lanes import Lane
from retrace_core.native import current, now_ns
from retrace_core.recording import RETURNED
from retrace_core.sockets.sent_key import sent_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["carry_program"]

_START: Final = "asyncio.program.start"
_SAID: Final = "asyncio.program.said"
_ASKED: Final = "asyncio.program.told"
_WITHIN: Final = "_retrace_within"
_EXITED, _OVER = "process_exited", "connection_lost"
_TOLD = ("pipe_data_received", "pipe_connection_lost", _EXITED, _OVER)


def carry_program(start: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a loop's `subprocess_exec` or `subprocess_shell` whose programs are recorded."""

    @functools.wraps(start)
    async def starting(
        loop: asyncio.AbstractEventLoop, factory: Callable[[], Any], *args: Any, **opts: Any
    ) -> Any:
        lane = current()
        if not isinstance(lane, Lane):
            return await start(loop, factory, *args, **opts)
        command = [world_text(os.fsdecode(one)) for one in args]
        child = lane.spawn()

        async def live() -> Any:
            return await start(loop, functools.partial(_made, factory, child), *args, **opts)

        def played(pid: int) -> Any:
            protocol = factory()
            transport = _Played(pid, protocol, opts)
            protocol.connection_made(transport)
            with mask():
                transport.feeding = loop.create_task(transport.feed(child))
            return transport, protocol

        try:
            return await call_async(lane, _START, command, live, _pid, played)
        except BaseException:
            child.end()
            raise

    return starting


def _pid(outcome: Any) -> int:
    return int(outcome[0].get_pid())


def _made(protocol_factory: Callable[[], Any], lane: Lane) -> Any:
    """Return a protocol, with what it is told recorded."""
    protocol = protocol_factory()
    for name in _TOLD:
        setattr(protocol, name, _noted(protocol, name, lane))
    protocol.connection_made = _connected(protocol)
    return protocol


def _connected(protocol: Any) -> Callable[[Any], None]:
    made = protocol.connection_made

    def connection_made(transport: Any) -> None:
        protocol.__dict__["_retrace_transport"] = transport
        told = transport.get_pipe_transport(0)
        if told is not None:
            setattr(told, "write", _telling(told.write))  # noqa: B010  # a method
        made(transport)

    return connection_made


def _noted(protocol: Any, name: str, lane: Lane) -> Callable[..., None]:
    tell = getattr(protocol, name)

    def telling(*args: Any) -> None:
        state = protocol.__dict__
        if state.get(_WITHIN):  # it tells itself, and will again
            tell(*args)
            return
        with failsafe.gate("note what a program says"):
            transport = state.get("_retrace_transport")
            fd = args[0] if name.startswith("pipe") else None
            said = bytes(args[1]) if name == _TOLD[0] else None
            code = transport.get_returncode() if transport is not None else None
            answered(lane, lane.record(_SAID, None, RETURNED, [name, fd, said, code], now_ns()))
            if name == _OVER:
                lane.end()
        state[_WITHIN] = True
        try:
            tell(*args)
        finally:
            state[_WITHIN] = False

    return telling


def _telling(write: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a `write` that takes its turn: what a program says depends on what it is told."""

    def writing(data: Any) -> None:
        lane = current()
        if lane is None:
            return write(data)

        def live() -> None:
            with mask():
                write(data)

        return call(lane, _ASKED, sent_key(bytes(data)), live)

    return writing


class _Pipe(asyncio.Transport):
    """One of its pipes, with nobody at the other end."""

    def __init__(self) -> None:
        super().__init__()
        self._closed = False

    def write(self, data: Any) -> None:
        """Tell nobody, in its turn."""
        lane = current()
        if lane is not None:
            call(lane, _ASKED, sent_key(bytes(data)), _nothing)

    def can_write_eof(self) -> bool:
        """Return True: it can be said that this was all."""
        return True

    def write_eof(self) -> None:
        """Say so to nobody."""
        self._closed = True

    def get_write_buffer_size(self) -> int:
        """Return 0: all is gone at once."""
        return 0

    def pause_reading(self) -> None:
        """Do nothing: what was said is said in its turn."""

    def resume_reading(self) -> None:
        """Do nothing, as `pause_reading`."""

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._closed

    def close(self) -> None:
        """Close it."""
        self._closed = True

    def abort(self) -> None:
        """Close it."""
        self._closed = True


def _nothing() -> None:
    return None


class _Played(asyncio.SubprocessTransport):
    """The transport of a program that is not there."""

    feeding: asyncio.Task[None]

    def __init__(self, pid: int, protocol: Any, options: dict[str, Any]) -> None:
        super().__init__()
        self._pid, self._said_to = pid, protocol
        self._code: int | None = None
        self._exited = asyncio.Event()
        self._is_closed = False
        names = ("stdin", "stdout", "stderr")
        self._pipes = {fd: _Pipe() for fd, name in enumerate(names) if options.get(name, -1) == -1}

    async def feed(self, lane: Lane) -> None:
        """Tell the protocol what the program had said, in the recorded turns."""
        try:
            name = ""
            while name != _OVER:
                kept: Any = await lane.scope.answer_async(lane, _SAID, None)
                name, fd, said, self._code = kept
                if self._code is not None:
                    self._exited.set()
                self._tell(name, fd, said)
        except BaseException:  # noqa: BLE001  # whoever waits for it must not wait for ever
            self._code = self._code if self._code is not None else 0
            self._exited.set()
            self._tell(_EXITED, None, None)
            self._tell(_OVER, None, None)
        lane.end()

    def _tell(self, name: str, fd: Any, said: Any) -> None:
        tell = getattr(self._said_to, name)
        if name == _EXITED:
            tell()
        elif name == _OVER:
            tell(None)
        else:
            tell(fd, said)

    def get_pid(self) -> int:
        """Return its recorded number."""
        return self._pid

    def get_returncode(self) -> int | None:
        """Return how it ended, None where it had not by then."""
        return self._code

    def get_pipe_transport(self, fd: int) -> Any:
        """Return one of its pipes."""
        return self._pipes.get(fd)

    async def _wait(self) -> int | None:
        await self._exited.wait()
        return self._code

    def send_signal(self, signal: int) -> None:
        """Do nothing: it is not there."""

    def terminate(self) -> None:
        """Do nothing, as `send_signal`."""

    def kill(self) -> None:
        """Do nothing, as `send_signal`."""

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._is_closed

    def close(self) -> None:
        """Close it, and its pipes."""
        self._is_closed = True
        for pipe in self._pipes.values():
            pipe.close()
