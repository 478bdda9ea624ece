"""`open`: what was in a file as the request opened it is recorded; replay opens a copy.

The file object is a real one in both worlds, on replay of a scratch file: seeking, mapping
and buffering are the interpreter's own. What is written goes to the scratch file and nowhere
else. Where an opener is given, it opens: that is an event of `os.open`. A file that was not
opened when it was recorded, a template for instance that lay in a cache, is opened as it is,
for reading only; but what the start-up writes and had not written when it was recorded, a log that
one of its threads comes to earlier, is a scratch file.

Hooks: `io.open`, which is `builtins.open`.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import has_room_for, is_of_boot
from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.calling import called_from
from retrace_core.coverage.coverage_watch import TOO_LARGE, seen
from retrace_core.files.file_access import (
    NOTHING,
    content_of,
    installed_path,
    is_infrastructure,
    is_still_here,
    lies_in_scratch,
    materialised,
    world_path,
)
from retrace_core.files.temporary_folder import temporary_folder
from retrace_core.native import LANE, REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITES = frozenset("wax+")


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: A001
        lane = current()
        if lane is None or is_infrastructure(called_from()):
            # What writes is a log: one that a request begins, or begins anew as it imports.
            writes = not _WRITES.isdisjoint(mode) and _replays()
            if writes and is_infrastructure(called_from()):
                return _apart(original, file, mode, args, kwargs)
            return original(file, mode, *args, **kwargs)
        name = world_path(file) or _written_among_installed(file, mode)
        opener = args[5] if len(args) > 5 else kwargs.get("opener")
        if name is not None and opener is not None and lane.mode == REPLAY:
            return _opened_by(opener, original, file, mode, args, kwargs)
        if name is None or opener is not None:
            return original(file, mode, *args, **kwargs)
        if _WRITES.isdisjoint(mode) and not has_room_for(lane, file):
            return original(file, mode, *args, **kwargs)

        def live() -> Any:
            if lane.mode == REPLAY and is_of_boot(lane) and not _WRITES.isdisjoint(mode):
                return _apart(original, file, mode, args, kwargs), None
            before = content_of(file) if "w" not in mode and "x" not in mode else None
            if before is not None and before[1]:
                lane.state.tainted = True
                seen(lane, TOO_LARGE, (file,))
            return original(file, mode, *args, **kwargs), before

        def encode(outcome: Any) -> object:
            return outcome[1]

        def decode(before: Any) -> Any:
            if before is None and mode[:1] == "r":
                before = NOTHING
            if before is not None and _WRITES.isdisjoint(mode) and is_still_here(file, before):
                return original(file, mode, *args, **kwargs), before
            copy = original(materialised(name, before), mode, *args, **kwargs)
            _named(copy, file)
            return copy, before

        return call_free(lane, "file.open", (name, mode), live, encode, decode)[0]

    return open


def _written_among_installed(file: Any, mode: str) -> str | None:
    """Return the name of what is installed with a package where the code writes there."""
    return None if _WRITES.isdisjoint(mode) else installed_path(file)


def _replays() -> bool:
    """Return True within a replay, though what is going on is no event."""
    lane = LANE.get()
    return lane is not None and lane.mode == REPLAY


def _apart(
    original: Callable[..., Any],
    file: Any,
    mode: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Return a scratch file for what infrastructure writes: a log that a request begins, say.

    And for what the start-up does that was not recorded.
    """
    name = world_path(file) or _written_among_installed(file, mode)
    if name is None or kwargs.get("opener") is not None or len(args) > 5 or lies_in_scratch(file):
        return original(file, mode, *args, **kwargs)
    return original(materialised(name, NOTHING), mode.replace("x", "w"), *args, **kwargs)


def _opened_by(
    opener: Callable[[Any, int], int],
    original: Callable[..., Any],
    file: Any,
    mode: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Return what an opener opens, under whatever path: where it opens it is its own crossing.

    The path is no more than a name here (`tempfile.NamedTemporaryFile` gives its folder), but
    the interpreter says, before it asks the opener, that it is going to be written.
    """
    scratch = os.path.join(temporary_folder(), "opened")
    opening = functools.partial(_open_instead, opener, file)
    if len(args) > 5:
        args = (*args[:5], opening, *args[6:])
    else:
        kwargs = {**kwargs, "opener": opening}
    opened = original(scratch, mode, *args, **kwargs)
    _named(opened, file)
    return opened


def _open_instead(opener: Callable[[Any, int], int], file: Any, _: Any, flags: int) -> int:
    return opener(file, flags)


def _named(opened: Any, file: Any) -> None:
    """Give a copy the name that `open` gives: of a path object, its text."""
    raw = getattr(getattr(opened, "buffer", opened), "raw", opened)
    try:
        raw.name = os.fspath(file) if isinstance(file, os.PathLike) else file
    except AttributeError:
        return


BOUNDARY = Boundary(
    kind="file",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(builtins, "open", _hooked), Patch(io, "open", _hooked)),
)
