"""Named files: what a library in C or Rust opens by its name, past Python's `open`.

No audit event tells of it. So its functions that are given a path are hooked: while recording,
what is in the file is kept as if Python had opened it (`file.open`); on replay the function is
given the path of a scratch file, where the recorded content lies, or where it may write. What it
answers is its own in both worlds. A folder is one event, with the files in it, and so is a file
with those that a library opens beside it.

A boundary is a table: which function has a path at which place (`opening`), and what it does there.
"""

from __future__ import annotations

import errno
import functools
import os
import pathlib
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import has_room_for
from retrace_core.boundary import Patch, call_free, mask
from retrace_core.calling import called_from
from retrace_core.coverage.coverage_watch import TOO_LARGE, seen
from retrace_core.files.file_access import (
    as_given,
    content_of,
    installed_path,
    is_infrastructure,
    is_still_here,
    is_temporary,
    lies_in_scratch,
    materialised,
    materialised_folder,
    told_as,
    world_path,
)
from retrace_core.files.named_folders import Entries, entries_of, has_magic, laid_out, matching
from retrace_core.lane_hook import lane_hook
from retrace_core.native import REPLAY, current
from retrace_core.recording import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["MAKES", "READS", "UPDATES", "WRITES", "by_mode", "opening", "opening_class", "placed"]

READS, WRITES, UPDATES, MAKES = BY_NAME, "wb", "r+b", "folder"
"""What is done to a path; the last makes a folder, with those above it."""
_OPEN, _FOLDER = "file.open", "file.folder"
_BESIDE = "beside"

How = str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """How a function is given its path."""

    at: int
    named: str
    how: How | Callable[[tuple[Any, ...], dict[str, Any]], How]
    beside: Callable[[str], Iterable[str]] | None
    many: bool
    in_bytes: bool
    calls_back: bool
    if_there: bool = False
    mend: Callable[[str], None] | None = None

    def does(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> How:
        return self.how(args, kwargs) if callable(self.how) else self.how


def opening(
    owner: Any,
    functions: str,
    at: int,
    named: str = "",
    how: How | Callable[[tuple[Any, ...], dict[str, Any]], How] = READS,
    *,
    beside: Callable[[str], Iterable[str]] | None = None,
    many: bool = False,
    in_bytes: bool = False,
    calls_back: bool = False,
    mend: Callable[[str], None] | None = None,
) -> tuple[Patch, ...]:
    """Return the hooks of functions that open what they are given the path of.

    Args:
        owner: the module or class that has them; what the installed version lacks is left out.
        functions: their names, with spaces between.
        at: the place of the path among the arguments, with `self`; -1 for by name only.
        named: the name of that argument.
        how: READS, WRITES, UPDATES, MAKES; or what returns one, by arguments, or None for neither.
        beside: returns the paths of what is opened with a file.
        many: whether it may be a list of paths, or a pattern.
        in_bytes: whether bytes are a path, too; elsewhere they are what is in a file.
        calls_back: whether the application's own code is run within; else it is no business of
            the request's what the function asks.
        mend: gets the path of a scratch file before it is opened: masked, it may be corrupt.
    """
    found = _Opening(
        at=at,
        named=named,
        how=how,
        beside=beside,
        many=many,
        in_bytes=in_bytes,
        calls_back=calls_back,
        mend=mend,
    )
    factory = functools.partial(_hooked, found)
    return tuple(Patch(owner, name, factory) for name in functions.split() if hasattr(owner, name))


def opening_class(
    owner: Any,
    name: str,
    at: int,
    named: str = "",
    how: How | Callable[[tuple[Any, ...], dict[str, Any]], How] = READS,
) -> tuple[Patch, ...]:
    """Return the hook of a class in C that opens a path as it is made, before `__init__`.

    Args: as for `opening`; `at` without `self`.
    """
    found = _Opening(
        at=at,
        named=named,
        how=how,
        beside=None,
        many=False,
        in_bytes=False,
        calls_back=False,
    )

    def factory(original: type) -> type:
        def made(cls: type, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None or is_infrastructure(called_from()):
                return original.__new__(cls, *args, **kwargs)
            return _opened(lane, found, functools.partial(original.__new__, cls), args, kwargs)

        kept = {"__module__": original.__module__, "__doc__": original.__doc__, "__new__": made}
        return type(original.__name__, (original,), kept)

    return (Patch(owner, name, factory),) if hasattr(owner, name) else ()


def placed(
    lane: Any,
    given: Any,
    how: str = READS,
    *,
    beside: Callable[[str], Iterable[str]] | None = None,
    many: bool = False,
    if_there: bool = False,
    mend: Callable[[str], None] | None = None,
) -> Any:
    """Return what stands for a path in a lane: itself while recording, on replay a scratch file.

    For what has a path elsewhere than in an argument of its own.

    Args:
        lane: the current one.
        given: the path.
        how, beside, many, mend: as for `opening`.
        if_there: whether it may be no path at all, and is one where there is such a file.
    """
    found = _Opening(
        at=-1,
        named="",
        how=how,
        beside=beside,
        many=many,
        in_bytes=False,
        calls_back=False,
        if_there=if_there,
        mend=mend,
    )
    return _place(lane, given, how, found)


def by_mode(
    at: int, named: str = "mode", default: str = "r"
) -> Callable[[tuple[Any, ...], dict[str, Any]], str]:
    """Return what tells by an argument like `open`'s mode what is done to a file.

    Args:
        at, named: its place, and name.
        default: what it is where it is not given.
    """

    def does(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        mode = str((args[at] if len(args) > at else kwargs.get(named)) or default)
        if mode.startswith("w") and "-" not in mode:
            return WRITES
        # What must not be there yet, or is added to: it matters what is there.
        return READS if mode.startswith("r") and "+" not in mode else UPDATES

    return does


def _hooked(found: _Opening, original: Any) -> Any:
    of_class = isinstance(original, types.ClassMethodDescriptorType)  # of a class in C
    kept = isinstance(original, staticmethod | classmethod)
    function = original.__func__ if kept else original
    if of_class:
        function = original.__get__(None, original.__objclass__)

    @functools.wraps(function)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None or is_infrastructure(called_from()):
            return function(*args, **kwargs)
        return _opened(lane, found, function, args, kwargs)

    hook = lane_hook(function, hooked)
    if of_class:
        return staticmethod(hook)
    return type(original)(hook) if kept else hook


def _opened(
    lane: Any,
    found: _Opening,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    how = found.does(args, kwargs)
    by_place = 0 <= found.at < len(args)
    given = args[found.at] if by_place else kwargs.get(found.named)
    place = given if how is None else _place(lane, given, how, found)
    if place is not given:
        if by_place:
            args = (*args[: found.at], place, *args[found.at + 1 :])
        else:
            kwargs = {**kwargs, found.named: place}
    try:
        if found.calls_back:
            return function(*args, **kwargs)
        with mask():
            return function(*args, **kwargs)
    except Exception as error:
        if place is not given:
            _say_as_given(error)
        raise


def _say_as_given(error: BaseException) -> None:
    """Let an error name the path that was given."""
    error.args = tuple(as_given(one) if isinstance(one, str) else one for one in error.args)
    for name in ("filename", "msg"):
        said = getattr(error, name, None)
        if isinstance(said, str) and as_given(said) != said:
            setattr(error, name, as_given(said))


def _place(lane: Any, given: Any, how: str, found: _Opening) -> Any:
    """Return what a function is given for a path: on replay that of a scratch file."""
    if found.many and isinstance(given, list | tuple):
        places = [_place(lane, one, how, found) for one in given]
        same = all(place is one for place, one in zip(places, given, strict=True))
        return given if same else type(given)(places)
    if not isinstance(given, str | os.PathLike) and not (
        found.in_bytes and isinstance(given, bytes)
    ):
        return given
    text = os.fsdecode(given)
    if not text or "://" in text or "\0" in text or text.startswith("/vsi"):
        return given
    if os.path.isabs(text) and lies_in_scratch(text) and not is_temporary(text):
        return given  # one of ours, that a function gives to another
    name = world_path(text) or (None if how == READS else installed_path(text))
    if name is None:
        return given
    place = _written(lane, text, name, how) if how in (WRITES, MAKES) else None
    if place is None:
        place = _read(lane, text, name, how, found)
    if place == text:
        return given
    if found.mend is not None:
        found.mend(place)
    told_as(place, text)
    if isinstance(given, bytes):
        return os.fsencode(place)
    return type(given)(place) if isinstance(given, pathlib.PurePath) else place


def _written(lane: Any, text: str, name: str, how: str) -> str:
    def live() -> str:
        if lane.mode == REPLAY:
            return materialised(name, None)
        if how == WRITES and not os.path.isdir(os.path.dirname(os.path.abspath(text))):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
        return text

    def again(_: object) -> str:
        return materialised(name, None)

    try:
        return call_free(lane, _OPEN, (name, WRITES), live, lambda _: None, again)
    except FileNotFoundError:
        return text if lane.mode != REPLAY else _nowhere(name)


def _nowhere(name: str) -> str:
    """Return the path of a scratch file in a folder that is not there."""
    return os.path.join(materialised_folder("absent"), "absent", os.path.basename(name))


def _read(lane: Any, text: str, name: str, how: str, found: _Opening) -> str:
    if not has_room_for(lane, text):
        return text
    if found.many and has_magic(text):
        return _matched(lane, text)
    beside = None
    if lane.mode == REPLAY:
        for more in ("", _BESIDE) if found.beside else ("",):
            known, entries = lane.scope.free_answer(lane, _FOLDER, (name, more))
            if known:
                folder = laid_out(name, entries, apart=bool(more))
                return os.path.join(folder, entries[0][0]) if more else folder
        if found.if_there:
            known, before = lane.scope.free_answer(lane, _OPEN, (name, how))
            return materialised(name, before) if known else text
    elif os.path.isdir(text):
        _folder(lane, (name, ""), lambda: entries_of(text), text)
        return text
    elif found.if_there and not os.path.isfile(text):
        return text
    else:
        beside = list(found.beside(text)) if found.beside and os.path.isfile(text) else None
    if beside:
        _folder(lane, (name, _BESIDE), lambda: entries_of(text, beside), text)
        return text
    return _file(lane, text, name, how)


def _matched(lane: Any, text: str) -> str:
    """Do for a pattern what is done for a folder: what matches it is in it."""
    folder, rest = matching(text)
    name = world_path(folder)
    if name is None:
        return text
    if lane.mode == REPLAY:
        known, entries = lane.scope.free_answer(lane, _FOLDER, (name, rest))
        return os.path.join(laid_out(name, entries), rest) if known else text
    _folder(lane, (name, rest), lambda: entries_of(folder, pattern=rest), text)
    return text


def _folder(lane: Any, key: object, live: Callable[[], Entries], text: str) -> None:
    entries = lane.call(_FOLDER, key, None, live)
    if any(cut for _, _, cut, _ in entries):
        _too_large(lane, text)


def _file(lane: Any, text: str, name: str, how: str) -> str:
    def live() -> tuple[str, Any]:
        before = content_of(text)
        if lane.mode == REPLAY and (how != READS or before is None):
            # It is not read here, or not as it was: what is written goes nowhere else.
            return materialised(name, before), before
        if before is None and how == READS:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
        return text, before

    def again(before: Any) -> tuple[str, Any]:
        if before is not None and before[1] and is_temporary(text) and os.path.exists(text):
            return text, before  # the replay has written all of it itself
        if before is not None and how == READS and is_still_here(text, before):
            return text, before
        return materialised(name, before), before

    try:
        place, before = call_free(lane, _OPEN, (name, how), live, lambda found: found[1], again)
    except FileNotFoundError:
        return text if lane.mode != REPLAY else materialised(name, None)
    if before is not None and before[1] and lane.mode != REPLAY:
        _too_large(lane, text)
    return place


def _too_large(lane: Any, text: str) -> None:
    lane.state.tainted = True
    seen(lane, TOO_LARGE, (text,))
