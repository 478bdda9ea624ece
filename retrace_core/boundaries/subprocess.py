"""subprocess: a program that the request runs, with its output and exit status.

`run`, `check_output`, `call`, `getoutput` all wait for the program, so that all it said can be
recorded as one event. A `Popen` of the application's own that talks with the program step by
step is not covered: replay refuses to start it, and says so.

Hooks: `subprocess.run`, `subprocess.call`.
"""

from __future__ import annotations

import functools
import os
import subprocess
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _command(args: Any) -> object:
    if isinstance(args, str | bytes | os.PathLike):
        return os.fsdecode(args)
    return [os.fsdecode(one) for one in args]


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


BOUNDARY = Boundary(
    kind="subprocess",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(subprocess, "run", _hooked_run),
        Patch(subprocess, "call", _hooked_call),
    ),
    errors=(subprocess.CalledProcessError, subprocess.TimeoutExpired),
)
