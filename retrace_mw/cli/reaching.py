"""Reaching: whether a command hands on to the interpreter what `retrace run` starts recording by.

That is `PYTHONPATH`. A command may set it anew, and an interpreter may be told to leave it out;
then nothing would be recorded, and nobody told why.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["carried", "reasons_against"]

_VARIABLE = "PYTHONPATH="
_PYTHON = re.compile(r"(python|pypy)[\d.]*")
_SHELLS = frozenset(("ash", "bash", "dash", "ksh", "sh", "zsh"))
_WITH_VALUE = "WXcm"
_ISOLATING = "IE"
_FIRST_LINE_BYTES = 256


def carried(program: Sequence[str], site: str) -> list[str]:
    """Return the command with our folder before others where `env` sets `PYTHONPATH` in it.

    Args:
        program: the command and its arguments.
        site: the folder by which recording starts.
    """
    made = list(program)
    for place in _settings_of_env(made):
        if made[place].startswith(_VARIABLE):
            value = made[place].removeprefix(_VARIABLE)
            made[place] = _VARIABLE + os.pathsep.join(filter(None, (site, value)))
    return made


def reasons_against(program: Sequence[str]) -> list[str]:
    """Return why nothing will be recorded of a command, in words; nothing where it will be.

    Args:
        program: the command and its arguments.
    """
    found: list[str] = []
    if os.path.basename(program[0]) == "env" and _clears(program):
        found.append("env -i takes PYTHONPATH away; take away by -u NAME what is not to be there")
    isolating = _isolating(program)
    if isolating:
        found.append(f"{isolating} has the interpreter ignore PYTHONPATH; leave it out")
    if os.path.basename(program[0]) in _SHELLS and "-c" in program:
        script = program[program.index("-c") + 1 :][:1]
        if script and re.search(r"\bPYTHONPATH=(?!.*\$\{?PYTHONPATH)", script[0]):
            found.append(
                "the command of the shell sets PYTHONPATH anew; write"
                " PYTHONPATH=...:$PYTHONPATH in it"
            )
    return found


def _settings_of_env(program: Sequence[str]) -> list[int]:
    """Return where a leading `env` sets variables."""
    if os.path.basename(program[0]) != "env":
        return []
    places: list[int] = []
    for place, argument in enumerate(program[1:], 1):
        if "=" in argument and not argument.startswith("-"):
            places.append(place)
        elif places or not argument.startswith("-"):
            break
    return places


def _clears(program: Sequence[str]) -> bool:
    options = program[1 : (_settings_of_env(program) or [len(program)])[0]]
    return any(one in ("-", "-i", "--ignore-environment") for one in options) and not any(
        program[place].startswith(_VARIABLE) for place in _settings_of_env(program)
    )


def _isolating(program: Sequence[str]) -> str:
    """Return the option, and of what, that has an interpreter ignore its variables, else ""."""
    for place, argument in enumerate(program):
        if _PYTHON.fullmatch(os.path.basename(argument)):
            option = _isolating_option(program[place + 1 :])
            return f"{os.path.basename(argument)} {option}" if option else ""
    script = shutil.which(program[0])
    line = _first_line(script) if script else []
    if line and _PYTHON.fullmatch(os.path.basename(line[0])):
        option = _isolating_option(line[1:])
        return f"{option} in the first line of {script}" if option else ""
    return ""


def _isolating_option(arguments: Sequence[str]) -> str:
    for argument in arguments:
        if not argument.startswith("-") or argument.startswith("--"):
            return ""
        for letter in argument[1:]:
            if letter in _ISOLATING:
                return argument
            if letter in _WITH_VALUE:
                return ""
    return ""


def _first_line(script: str) -> list[str]:
    """Return the command that a script names in its first line, nothing where it names none."""
    try:
        with open(script, "rb") as file:
            begin = file.read(_FIRST_LINE_BYTES)
    except OSError:
        return []
    if not begin.startswith(b"#!"):
        return []
    words = begin[2:].splitlines()[0].decode("utf-8", "replace").split()
    return words[1:] if words and os.path.basename(words[0]) == "env" else words
