"""Restart: gives this process the hash seed and the interpreter's options of the recorded one.

So sets iterate alike, and texts read alike. Both are fixed when the interpreter starts. So this
process replaces itself once: with other options, and with PYTHONHASHSEED, or, for a random seed,
with a preloaded library that answers the interpreter's request for 24 random bytes (Linux).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from retrace_core.cli.leaving import leave
from retrace_core.environment import hash_seed
from retrace_core.interpreter import interpreter, restoring

if TYPE_CHECKING:
    from retrace_core.recording import Environment

__all__ = ["forget_restart", "is_debugged", "restart_for", "run_again", "start_like"]

MARKER = "RETRACE_REPLAY_RESTARTED"
"""Set in a process that has restarted; to its id, which survives exec, or to "child"."""
_OTHERWISE = (
    "the interpreter was started with other options or another locale, which could not be restored"
    " here: texts may read or sort otherwise"
)
_SECRET = "RETRACE_HASH_SECRET"
_PRELOAD = "LD_PRELOAD"
_HEX = re.compile(r"[0-9a-f]{48}")
_NUMBER = re.compile(r"\d{1,10}")


def restart_for(recorded: Environment, arguments: list[str]) -> list[str]:
    """Restart this process as the recorded one was started, if it was started otherwise.

    Args:
        recorded: what is known of that.
        arguments: of the command line after `retrace`.

    Returns:
        In words what may differ all the same.
    """
    seed = recorded.hash_seed
    if _clean_up():
        return [
            *([] if _has(seed) or not seed else [_differs("it did not take effect")]),
            *([_OTHERWISE] if any(restoring(recorded.interpreter)) else []),
        ]
    start = start_like(recorded)
    if start.environ is None:
        return [start.why] if start.why else []
    start.environ[MARKER] = str(os.getpid())
    run_again(arguments, start.environ, start.options)


def run_again(
    arguments: list[str],
    environ: dict[str, str] | None = None,
    options: list[str] | None = None,
) -> NoReturn:
    """Replace this process by one that runs another command line of ours.

    Args:
        arguments: after `retrace`.
        environ: its environment; default this one's.
        options: of the interpreter; default this one's.
    """
    environ = dict(os.environ) if environ is None else environ
    sys.stdout.flush()
    sys.stderr.flush()
    options = interpreter().options if options is None else options
    command = [sys.executable, *options, "-m", "retrace_core.cli", *arguments]
    if is_debugged():
        # The debugger follows into a child, but loses a process that replaces itself.
        environ.update({MARKER: "child"} if MARKER in environ else {})
        leave(subprocess.call(command, env=environ))
    os.execve(sys.executable, command, environ)


class Start(NamedTuple):
    """How a process is started that is to be as a recorded one."""

    environ: dict[str, str] | None
    """None where it needs no other than this one."""
    options: list[str]
    """Of the interpreter."""
    why: str
    """In words, why the order of sets may differ, or ""."""


def start_like(recorded: Environment) -> Start:
    """Return how a new process is started as the recorded one was."""
    environ, why = _seeded(recorded.hash_seed)
    options, variables = restoring(recorded.interpreter)
    if options:
        environ = {**os.environ, MARKER: "child"} if environ is None else environ
        environ.update(variables)
        for name in [name for name, value in variables.items() if not value]:
            environ.pop(name)
    return Start(environ, options or interpreter().options, why)


def _seeded(recorded: str) -> tuple[dict[str, str] | None, str]:
    """Return the environment in which a new process has the recorded hash seed.

    Args:
        recorded: the seed as the recording has it, "" for none.

    Returns:
        The environment, or None where this process's own will do; and, in words, why the order
        of sets may differ, or "".
    """
    if not recorded or _has(recorded):
        return None, ""
    environ = dict(os.environ)
    if _NUMBER.fullmatch(recorded):
        environ["PYTHONHASHSEED"] = recorded
    elif _HEX.fullmatch(recorded):
        library = _library()
        if not sys.platform.startswith("linux"):
            return None, _differs("a random hash seed can be restored on Linux only")
        if library is None:
            why = "retrace_core._hash_secret was not built; reinstall with a C compiler"
            return None, _differs(why)
        environ.pop("PYTHONHASHSEED", None)
        environ[_PRELOAD] = ":".join(filter(None, (str(library), environ.get(_PRELOAD, ""))))
        environ[_SECRET] = recorded
    else:
        return None, _differs("the recorded one is no seed")
    environ[MARKER] = "child"
    return environ, ""


def forget_restart() -> None:
    """Take what a restart needed out of the environment of the process that it made."""
    _clean_up()


def is_debugged() -> bool:
    """Return True when an editor's debugger is attached to this process."""
    return sys.gettrace() is not None or "pydevd" in sys.modules


def _clean_up() -> bool:
    """Return True after a restart; takes its traces out of the environment."""
    if os.environ.get(MARKER) not in (str(os.getpid()), "child"):
        return False
    del os.environ[MARKER]
    os.environ.pop(_SECRET, None)
    library = _library()
    rest = [name for name in os.environ.pop(_PRELOAD, "").split(":") if name != str(library)]
    if any(rest):
        os.environ[_PRELOAD] = ":".join(rest)
    return True


def _has(recorded: str) -> bool:
    return hash_seed(consent=True) == recorded


def _library() -> Path | None:
    return next(Path(__file__).parent.parent.glob("_hash_secret*.so"), None)


def _differs(why: str) -> str:
    return f"the order of sets may differ: the recorded hash seed is not in force ({why})"
