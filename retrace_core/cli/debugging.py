"""Debugging: a replay under pdb or under an editor, with the recording left undisturbed.

What the developer types at the prompt runs with the lane masked: it takes no answers from
the recording, and reaches nothing live either.
"""

from __future__ import annotations

import os
import pdb
import sys
import threading
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.leaving import leave
from retrace_core.cli.screen import visible
from retrace_core.errors import RetraceError
from retrace_core.lanes import mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    from retrace_core.recording import Frame
    from retrace_core.replay.divergence import Divergence

__all__ = ["ReplayPdb", "break_at", "stop_at_divergence", "wait_for_editor"]

_QUIT = 130


class ReplayPdb(pdb.Pdb):
    """Python's debugger, on a replayed request."""

    def __init__(self) -> None:
        super().__init__(nosigint=True)
        self.prompt = "(retrace pdb) "
        self.reset()

    def interaction(self, frame: FrameType | None, traceback: Any, *rest: Any) -> None:
        """Talk to the developer; the replay stands still meanwhile."""
        with mask():
            super().interaction(frame, traceback, *rest)

    def do_quit(self, arg: str) -> bool:
        """Leave the process: raising into the application would be caught by its framework."""
        self.message("replay left, without a verdict")
        leave(_QUIT)

    do_q = do_exit = do_EOF = do_quit  # noqa: N815  # pdb's naming

    def post_mortem(self, error: BaseException) -> None:
        """Stop where an exception was raised; its frames are alive."""
        click.echo(visible(f"{type(error).__name__}: {error}"))
        trace: TracebackType | None = error.__traceback__
        self.interaction(None, trace)


def break_at(place: str, folder: str) -> Callable[[Callable[[], None]], None]:
    """Return what runs a function with a breakpoint, in all its threads.

    Args:
        place: "FILE:LINE"; a relative file is looked for here and below `folder`.
        folder: where the application is imported from.

    Raises:
        RetraceError: there is no code at that line.
    """
    name, _, line = place.rpartition(":")
    paths = [path for path in (name, os.path.join(folder, name)) if os.path.isfile(path)]
    if not paths:
        raise RetraceError(f"--pdb {place}: no file {name} here or in {folder}; give its path")
    path = os.path.abspath(paths[0])
    if int(line) not in _lines_with_code(path):
        raise RetraceError(f"--pdb {place}: no statement begins there; give a line with code on it")
    debugger = ReplayPdb()
    debugger.set_break(path, int(line))

    def around(run: Callable[[], None]) -> None:
        # As after "continue": stop at breakpoints only. The base is this frame, which returns last.
        debugger.botframe = sys._getframe()
        debugger.set_continue()
        threading.settrace(debugger.trace_dispatch)
        sys.settrace(debugger.trace_dispatch)
        try:
            run()
        finally:
            sys.settrace(None)
            threading.settrace(None)

    return around


def _lines_with_code(path: str) -> set[int]:
    try:
        waiting = [compile(Path(path).read_bytes(), path, "exec")]
    except (SyntaxError, ValueError) as error:
        raise RetraceError(f"--pdb: {path} can't be compiled ({error}); correct it first") from None
    found: set[int] = set()
    while waiting:
        code = waiting.pop()
        found.update(line for _, _, line in code.co_lines() if line)
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
    return found


def stop_at_divergence(debugger: ReplayPdb) -> Callable[[Divergence], None]:
    """Return what stops in the debugger at the line that leaves the recording."""

    def stopping(divergence: Divergence) -> None:
        click.echo(visible(f"diverged: {divergence.summary()}"))
        debugger.interaction(_asking_frame(divergence.where), None)

    return stopping


def _asking_frame(where: Frame | None) -> FrameType | None:
    """Return the frame on this thread's stack that is the application's line."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and where is not None:
        if (frame.f_code.co_filename, frame.f_lineno) == (where.file, where.line):
            return frame
        frame = frame.f_back
    return sys._getframe(1)


def wait_for_editor(port: int) -> None:
    """Listen for an editor on this machine, and wait until it has attached.

    Raises:
        RetraceError: debugpy is not installed, or the port is taken.
    """
    try:
        import debugpy
    except ImportError:
        raise RetraceError('debugpy is not installed: pip install "retrace-mw[debugpy]"') from None
    try:
        host, bound = debugpy.listen(("127.0.0.1", port))
    except (OSError, RuntimeError) as error:
        raise RetraceError(
            f"port {port} can't be listened on ({error}); give another one: --debugpy 5679"
        ) from None
    click.echo(f"waiting for an editor to attach to {host}:{bound} (Ctrl-C gives up)", err=True)
    debugpy.wait_for_client()
