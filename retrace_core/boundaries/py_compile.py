"""py_compile: a program that a template engine wrote is compiled before it is loaded.

On replay neither the program nor a place for what comes out is there: it is told again what came
of it.

Hooks: `py_compile.compile`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import py_compile
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.files.file_access import world_path
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compile(file: Any, *args: Any, **options: Any) -> Any:  # noqa: A001
        lane, name = current(), world_path(file)
        if lane is None or name is None:
            return original(file, *args, **options)
        live = functools.partial(original, file, *args, **options)
        return call_free(lane, "file.compile", name, live)

    return compile


BOUNDARY = Boundary(
    kind="file",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(py_compile, "compile", _hooked),),
    errors=(py_compile.PyCompileError,),
)
