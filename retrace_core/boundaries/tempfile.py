"""`tempfile`: the random part of a temporary file's name is recorded.

The sequence that makes the names belongs to the process, so that its next one depends on how
many were made before. While the process boots, a name is for who asked: a server is not there on
replay (gunicorn makes a file for each worker), and the application would get the server's name.

Hooks: `tempfile._RandomNameSequence.__next__`; the end of a `NamedTemporaryFile`, which removes it.
"""

from __future__ import annotations

import functools
import os
import tempfile
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import BOOT
from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.calling import called_from
from retrace_core.files.file_access import asker
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND = "file.name"


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __next__(self: Any) -> Any:
        lane = current()
        live = functools.partial(original, self)
        if lane is None:
            return live()
        if not _boots(lane):
            return call_free(lane, _KIND, None, live)
        if lane.mode == REPLAY:  # a tape of 2026-11-29 or older does not say who asked
            live = functools.partial(call_free, lane, _KIND, None, live)
        return call_free(lane, _KIND, asker(called_from()), live)

    return __next__


def _boots(lane: Any) -> bool:
    return getattr(lane.scope, "label", "") == BOOT


def _removing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the end of a temporary file, with the `os.unlink` of now: it has taken hold of one."""

    @functools.wraps(original)
    def closing(self: Any, *args: Any, **options: Any) -> Any:
        if not args and options.get("unlink") is None:
            options["unlink"] = os.unlink
        return original(self, *args, **options)

    return closing


_CLOSER: Any = tempfile._TemporaryFileCloser  # type: ignore[attr-defined]  # pyright: ignore
_ENDS = "cleanup" if hasattr(_CLOSER, "cleanup") else "close"
"""Since CPython 3.12, and before."""
_SEQUENCE: Any = tempfile._RandomNameSequence  # type: ignore[attr-defined]  # pyright: ignore

BOUNDARY = Boundary(
    kind="tempfile",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(_SEQUENCE, "__next__", _hooked),
        *((Patch(_CLOSER, _ENDS, _removing),) if os.name != "nt" else ()),
    ),
)
