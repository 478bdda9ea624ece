"""subprocess: a program that the application runs, what it says and its exit status.

`run`, `check_output`, `call`, `getoutput` all wait for the program, so that all it said can be
recorded as one event. Of a `Popen` the start, what goes through its pipes, each look at its
exit status and each signal is one: on replay nothing is started, and no process gets a signal.
Programs that asyncio starts have a boundary of their own.

Hooks: `subprocess.run`, `subprocess.call`, `os.system`, `Popen.communicate` and `send_signal`,
and what is behind its other methods: `_execute_child`, `_internal_poll`, `_wait`. Read in CPython
3.11 to 3.13.
"""

from __future__ import annotations

import errno
import functools
import os
import subprocess
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call, in_replay
from retrace_core.calling import called_from
from retrace_core.coverage.audit_events import is_harmless
from retrace_core.files.file_access import is_infrastructure, world_text
from retrace_core.native import REPLAY, current
from retrace_core.programs.program_pipe import piped

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMAND = "retrace_command"
"""Attribute of a `Popen` that is recorded or replayed: what was started."""
_PLAYED = "retrace_played"
"""Attribute of one that replay did not start."""
_CHILDS_ENDS = slice(10, 16)
"""Where `_execute_child` gets the pipes' descriptors, after `self`."""
_PIPES = ("stdin", "stdout", "stderr")


def _command(args: Any) -> object:
    if isinstance(args, str | bytes | os.PathLike):
        return world_text(os.fsdecode(args))
    return [world_text(os.fsdecode(one)) for one in args]


def _hooked_run(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(args: Any, *more: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(args, *more, **options)
        key = (_command(args), options.get("input"))
        live = functools.partial(original, args, *more, **options)

        def encode(done: Any) -> object:
            return [done.returncode, done.stdout, done.stderr]

        def decode(value: Any) -> Any:
            return subprocess.CompletedProcess(args, *value)

        return call(lane, "subprocess.run", key, live, encode, decode)

    return run


def _hooked_call(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def calling(args: Any, *more: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(args, *more, **options)
        live = functools.partial(original, args, *more, **options)
        return call(lane, "subprocess.call", _command(args), live)

    return calling


def _hooked_system(original: Callable[[Any], int]) -> Callable[[Any], int]:
    @functools.wraps(original)
    def system(command: Any) -> int:
        lane = current()
        if lane is None:
            return original(command)
        live = functools.partial(original, command)
        return call(lane, "subprocess.call", _command(command), live)

    return system


def _hooked_start(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _execute_child(self: Any, args: Any, *more: Any) -> None:
        lane = current()
        # Its caller is `Popen.__init__`, whose caller is who wants the program.
        replays = in_replay()
        own = (lane is not None or replays) and is_infrastructure(called_from(2))
        if own and replays and not _is_harmless(args):
            # A tracer's own: Sentry's SDK asks git which version runs, and can do without.
            raise FileNotFoundError(errno.ENOENT, "not started in a replay", str(_command(args)))
        if lane is None or own:
            original(self, args, *more)
            return
        command = _command(args)

        def live() -> int:
            original(self, args, *more)
            return int(self.pid)

        pid = call(lane, "subprocess.Popen", command, live)
        setattr(self, _COMMAND, command)
        for name in _PIPES:
            stream = getattr(self, name)
            if stream is not None:
                setattr(self, name, piped(stream, name, command))
        if not self._child_created:  # live() was not called
            setattr(self, _PLAYED, True)
            self.pid = pid
            self._child_created = True
            self._close_pipe_fds(*(args, *more)[_CHILDS_ENDS])

    return _execute_child


def _is_harmless(args: Any) -> bool:
    return not isinstance(args, str | bytes | os.PathLike) and is_harmless(
        "subprocess.Popen", (args[0], args)
    )


def _hooked_poll(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _internal_poll(self: Any, _deadstate: Any = None, *more: Any) -> Any:
        if _deadstate is not None:
            # The interpreter asks, for an object that goes: at its end, when names of modules
            # may be gone already.
            return None if "retrace_played" in self.__dict__ else original(self, _deadstate, *more)
        command = getattr(self, _COMMAND, None)
        if command is None or self.returncode is not None:
            return original(self, None, *more)
        lane = current()
        if lane is None:
            return None if hasattr(self, _PLAYED) else original(self, None, *more)
        self.returncode = call(lane, "subprocess.poll", command, lambda: original(self))
        return self.returncode

    return _internal_poll


def _hooked_wait(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _wait(self: Any, timeout: Any) -> Any:
        command = getattr(self, _COMMAND, None)
        lane = current()
        if command is None or lane is None or self.returncode is not None:
            return original(self, timeout)
        self.returncode = call(lane, "subprocess.wait", command, lambda: original(self, timeout))
        return self.returncode

    return _wait


def _hooked_communicate(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def communicate(self: Any, input: Any = None, timeout: Any = None) -> Any:  # noqa: A002
        command = getattr(self, _COMMAND, None)
        lane = current()
        if command is None or lane is None:
            return original(self, input, timeout)

        def live() -> Any:
            said = original(self, input, timeout)
            return [self.returncode, *said]

        key = [command, input]
        self.returncode, *said = call(lane, "subprocess.communicate", key, live)
        if lane.mode == REPLAY:
            for name in _PIPES:
                stream = getattr(self, name)
                if stream is not None:
                    stream.close()
        return tuple(said)

    return communicate


def _hooked_signal(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send_signal(self: Any, sig: Any) -> Any:
        command = getattr(self, _COMMAND, None)
        lane = current()
        if command is None:
            return original(self, sig)
        if lane is None:
            return None if hasattr(self, _PLAYED) else original(self, sig)

        def live() -> Any:
            original(self, sig)
            return self.returncode  # it looks whether the program has ended

        self.returncode = call(lane, "subprocess.signal", [command, int(sig)], live)
        return None

    return send_signal


BOUNDARY = Boundary(
    kind="subprocess",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(subprocess, "run", _hooked_run),
        Patch(subprocess, "call", _hooked_call),
        Patch(os, "system", _hooked_system),
        Patch(subprocess.Popen, "_execute_child", _hooked_start),
        Patch(subprocess.Popen, "_internal_poll", _hooked_poll),
        Patch(subprocess.Popen, "_wait", _hooked_wait),
        Patch(subprocess.Popen, "communicate", _hooked_communicate),
        Patch(subprocess.Popen, "send_signal", _hooked_signal),
    ),
    errors=(subprocess.CalledProcessError, subprocess.TimeoutExpired),
)
