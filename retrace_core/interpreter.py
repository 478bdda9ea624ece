"""Interpreter: the options that this process's was started with, so that a replay has the same.

UTF-8 mode, the development mode, what warnings do, how many digits a number may have: code sees
them in what it reads and says, and they are fixed when the interpreter starts.
"""

from __future__ import annotations

import locale
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from retrace_core.recording import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_deep", "interpreter", "restoring"]

_ENCODING_VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG")
_ALLOWED = re.compile(
    r"-(O|OO|b|bb)"
    r"|-Xutf8=[01]|-Xdev|-Xno_debug_ranges|-Xint_max_str_digits=[0-9]{1,9}"
    r"|-W(default|error|always|ignore|module|once)"
    r"(:[^:]{0,200}(:[A-Za-z]{0,40}(:[\w.]{0,200}(:[0-9]{0,9})?)?)?)?",
    re.ASCII,
)
"""No category of warnings by its module: the interpreter would import it."""
_SHALLOWEST, _DEEPEST = 500, 100_000
"""Of what a stranger's recording may set."""
_VALUE = re.compile(r"[A-Za-z0-9_.@:-]{1,64}")


def interpreter() -> Interpreter:
    """Return how this process's interpreter was started."""
    set_here = (name for name in _ENCODING_VARIABLES if os.environ.get(name))
    return Interpreter(
        options=list(_options()),
        encoding=locale.getencoding(),
        variables={name: os.environ[name] for name in set_here},
        recursion_limit=sys.getrecursionlimit(),
    )


def _options() -> Iterator[str]:
    flags = sys.flags
    yield f"-Xutf8={flags.utf8_mode}"
    if flags.optimize:
        yield "-" + "O" * min(flags.optimize, 2)
    if flags.bytes_warning:
        yield "-" + "b" * min(flags.bytes_warning, 2)
    if flags.dev_mode:
        yield "-Xdev"
    if flags.int_max_str_digits not in (-1, sys.int_info.default_max_str_digits):
        yield f"-Xint_max_str_digits={flags.int_max_str_digits}"
    if "no_debug_ranges" in sys._xoptions or os.environ.get("PYTHONNODEBUGRANGES"):
        yield "-Xno_debug_ranges"
    for one in sys.warnoptions:
        if not (flags.dev_mode and one == "default") and "BytesWarning" not in one:
            yield f"-W{one}"


def restoring(recorded: Interpreter | None) -> tuple[list[str], dict[str, str]]:
    """Return the options and variables that a new process needs to be as the recorded one.

    Args:
        recorded: None where it is not known. It may be a stranger's: nothing but what is known
            to do no harm is taken from it.

    Returns:
        Both empty where this process is as the recorded one. A variable is "" that is not to be
        set.
    """
    if recorded is None:
        return [], {}
    now = interpreter()
    wanted = [one for one in recorded.options if _ALLOWED.fullmatch(one)]
    variables: dict[str, str] = {}
    if recorded.encoding.lower() != now.encoding.lower():
        for name in _ENCODING_VARIABLES:
            value = recorded.variables.get(name, "")
            variables[name] = value if _VALUE.fullmatch(value) else ""
        # Whoever replays reads what it says, not the one who recorded.
        variables["PYTHONIOENCODING"] = sys.stdout.encoding
    return (wanted, variables) if wanted != now.options or variables else ([], {})


@contextmanager
def as_deep(recorded: Interpreter | None) -> Iterator[None]:
    """Run the block with the recorded limit of how deep calls may go."""
    before = sys.getrecursionlimit()
    if recorded is not None and recorded.recursion_limit:
        with suppress(RecursionError):  # who asks for a replay is deeper already
            sys.setrecursionlimit(max(_SHALLOWEST, min(recorded.recursion_limit, _DEEPEST)))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
