"""Program: what this process was started as, and which application of it is recorded.

An application that a program makes of its arguments, within its own `main()`, has no name that
could be imported. A replay starts the program instead.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import shlex
import sys
import sysconfig
from importlib import metadata
from typing import TYPE_CHECKING

import msgspec

from retrace_core.recording import Program

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["can_be_started", "command_of", "kind_of", "note_serving", "program_of", "started"]

_WITH_VALUE = "WX"
"""Options of the interpreter that are followed by a value."""
_LONG_WITH_VALUE = "--check-hash-based-pycs"
_LIMIT = 64
"""More arguments than these are of no command that a person typed."""
_IN_C = ("pyuwsgi",)
"""Modules of programs that bind, fork and serve past the interpreter, which is within them."""
_FOLDER = ""
with contextlib.suppress(OSError):  # it may have been removed
    _FOLDER = os.getcwd()
_serves = False
"""True where what was started serves the application: no test of it does, nor a shell."""


def note_serving() -> None:
    """Take note that this process was started to serve, under `retrace run`."""
    global _serves
    _serves = True


def program_of(candidates: Sequence[object], secrets: Collection[bytes]) -> Program | None:
    """Return what this process was started as, None where that can't be told, or does not serve.

    Args:
        candidates: the recorded application, and what it wraps, outermost first.
        secrets: what must not be in it.
    """
    found = started() if _serves else None
    if found is None:
        return None
    kinds = [kind_of(one) for one in candidates]
    serves = next((kind for kind in kinds if not kind.startswith("retrace_mw.")), "")
    told = [_without(argument, secrets) for argument in found.arguments]
    child = _name_of_child()
    return msgspec.structs.replace(found, serves=serves, arguments=told, child=child)


def can_be_started(program: Program) -> bool:
    """Return True where a replay may start a program: it can be kept from serving for real."""
    return program.name.partition(":")[0] not in _IN_C


def _name_of_child() -> str:
    """Return what `multiprocessing` calls this process, "" where it has not started it."""
    module = sys.modules.get("multiprocessing.process")
    if module is None or module.parent_process() is None:
        return ""
    return str(module.current_process().name)


def _without(argument: str, secrets: Collection[bytes]) -> str:
    for secret in secrets:
        argument = argument.replace(secret.decode("utf-8", "surrogateescape"), "masked")
    return argument


@functools.cache
def started() -> Program | None:
    """Return what this process was started as, whatever it serves; None where it can't be told.

    Nothing can be told of what was given by `-c` or on standard input. What `multiprocessing` has
    spawned was started as the process that spawned it.
    """
    given = sys.orig_argv[1:]
    if "--multiprocessing-fork" in given:
        given = _of_spawning()
    while given and given[0].startswith("-") and len(given[0]) > 1:
        option = given.pop(0)
        if option == _LONG_WITH_VALUE:
            del given[:1]
            continue
        for place, letter in enumerate(option[1:], 2):
            rest = option[place:]
            if letter == "c":
                return None
            if letter == "m":
                name = rest or (given.pop(0) if given else "")
                return _made("module", name, given, name) if name else None
            if letter in _WITH_VALUE:
                del given[: 0 if rest else 1]
                break
    if not given or given[0] == "-":
        return None
    path = given.pop(0)
    function = _console_script(path)
    if function:
        return _made("function", function, given, path)
    whole = os.path.join(_FOLDER, path)
    name = os.path.relpath(whole, _FOLDER) if _is_below(whole, _FOLDER) else whole
    return _made("script", name, given, path)


def _of_spawning() -> list[str]:
    """Return the arguments of the interpreter that spawned this process, as far as it says."""
    main = sys.modules.get("__mp_main__")
    spec = getattr(main, "__spec__", None)
    return ["-m", spec.name, *sys.argv[1:]] if spec is not None else list(sys.argv)


def _made(kind: str, name: str, arguments: list[str], path: str) -> Program | None:
    if len(arguments) > _LIMIT:
        return None
    return Program(kind=kind, name=name, arguments=arguments, folder=_FOLDER, path=path)


def _is_below(path: str, folder: str) -> bool:
    return bool(folder) and os.path.normpath(path).startswith(os.path.join(folder, ""))


def _console_script(path: str) -> str:
    """Return "module:function" when a script is one that pip has made for it, else ""."""
    real = os.path.realpath(path)
    folders = {os.path.dirname(sys.executable), sysconfig.get_path("scripts")}
    if os.path.dirname(real) not in {os.path.realpath(folder) for folder in folders}:
        return ""
    name = os.path.basename(real).removesuffix(".exe").removesuffix("-script.py")
    for entry in metadata.entry_points(group="console_scripts", name=name):
        return f"{entry.module}:{entry.attr}"
    return ""


def kind_of(app: object) -> str:
    """Return "module:name" of an application's class, or of a function itself."""
    one = getattr(app, "__self__", app)
    named = one if inspect.isfunction(one) or inspect.isclass(one) else type(one)
    return f"{named.__module__}:{named.__qualname__}"


def command_of(program: Program) -> str:
    """Return the command as one would type it, roughly, to be read."""
    first = {
        "function": [os.path.basename(program.path)],
        "module": ["python", "-m", program.name],
        "script": ["python", program.name],
    }[program.kind]
    return shlex.join([*first, *program.arguments])
