"""asyncio's subprocesses: a program that a coroutine runs, what it says and its exit status.

As with `subprocess`, the start is an event, and so are what goes through its pipes, each look at
its exit status and each signal: on replay nothing is started. A program that is started by the
loop's own `subprocess_exec`, as anyio does, is told of by `loop_program`.

Hooks: `create_subprocess_exec` and `create_subprocess_shell`, in `asyncio` and in
`asyncio.subprocess`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import asyncio
import functools
import os
from asyncio import subprocess
from typing import TYPE_CHECKING, Any, Final, cast

from retrace_core.boundary import Boundary, Patch, call, call_async
from retrace_core.files.file_access import world_text
from retrace_core.native import current
from retrace_core.sockets.own_stream import adopt_stream, streams_to_nobody

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_KIND: Final = "asyncio.subprocess"
_LIMIT = 2**16
_PIPES = ("stdin", "stdout", "stderr")


def _hooked(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def starting(*args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(*args, **options)
        command = [world_text(os.fsdecode(one)) for one in args]

        async def live() -> Any:
            return await original(*args, **options)

        def played(pid: int) -> Any:
            return _Played(pid, options)

        process = await call_async(lane, f"{_KIND}.start", command, live, _pid, played)
        for name in _PIPES:
            adopt_stream(getattr(process, name), f"{name} of {' '.join(command)}")
        if type(process) in (subprocess.Process, _Played):
            process.retrace_command = command
            process.__class__ = OwnProcess
        return process

    return starting


def _pid(process: Any) -> int:
    return int(process.pid)


class _Played(subprocess.Process):
    """A program that is not there."""

    def __init__(self, pid: int, options: dict[str, Any]) -> None:
        self.pid = pid
        self._transport = cast("Any", _Nothing())
        limit = options.get("limit", _LIMIT)
        for name in _PIPES:
            stream: Any = None
            if options.get(name) == subprocess.PIPE:
                reads = asyncio.StreamReader(limit, asyncio.get_running_loop())
                stream = streams_to_nobody(limit)[1] if name == "stdin" else reads
            setattr(self, name, stream)


class _Nothing:
    """The transport of one."""

    def close(self) -> None:
        """Close it."""

    def get_pipe_transport(self, fd: int) -> None:
        """Return the transport of a pipe: there is none."""

    def get_returncode(self) -> None:
        """Return None: nobody knows."""


class OwnProcess(subprocess.Process):
    """A program of which all that the application learns is an event."""

    _transport: Any
    retrace_command: list[str]
    retrace_ended: int | None = None

    @property
    def returncode(self) -> Any:
        """The exit status, or None while it runs."""
        lane, live = current(), self._transport.get_returncode
        if self.retrace_ended is None:
            if lane is None:
                return live()
            self.retrace_ended = call(lane, f"{_KIND}.poll", self.retrace_command, live)
        return self.retrace_ended

    async def wait(self) -> int:
        """Wait until it has ended; return the exit status."""
        lane, live = current(), super().wait
        if lane is None:
            return await live()
        ended = await call_async(lane, f"{_KIND}.wait", self.retrace_command, live)
        self._has_ended(ended)
        return ended

    async def communicate(self, input: Any = None) -> Any:  # noqa: A002
        """Tell it something, wait until it has ended, and return all that it said."""
        lane, original = current(), super().communicate
        if lane is None:
            return await original(input)

        async def live() -> list[Any]:
            said = await original(input)
            return [self._transport.get_returncode(), *said]

        key = [self.retrace_command, None if input is None else bytes(input)]
        ended, *said = await call_async(lane, f"{_KIND}.communicate", key, live)
        self._has_ended(ended)
        return tuple(said)

    def _has_ended(self, status: int) -> None:
        self.retrace_ended = status
        if self.stdin is not None:
            self.stdin.close()  # as the end of the program does

    def send_signal(self, signal: int) -> None:
        """Send it a signal."""
        self._signal(int(signal), functools.partial(super().send_signal, signal))

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal("terminate", super().terminate)

    def kill(self) -> None:
        """End it."""
        self._signal("kill", super().kill)

    def _signal(self, which: object, live: Callable[[], None]) -> None:
        lane = current()
        if lane is None:
            live()
        else:
            call(lane, f"{_KIND}.signal", [self.retrace_command, which], live)


BOUNDARY = Boundary(
    kind=_KIND,
    supports="cpython>=3.11,<3.14",
    hooks=tuple(
        Patch(owner, name, _hooked)
        for owner in (subprocess, asyncio)
        for name in ("create_subprocess_exec", "create_subprocess_shell")
    ),
    errors=(asyncio.IncompleteReadError, asyncio.LimitOverrunError),
)
