"""`os`: what the request asks of files and folders, and does to them, and signals it sends.

Answers are given back on replay without a look at the disk; what it does to files and processes is
not done again. File descriptors are real, of scratch files.

Hooks: the functions of `os` by name; `os.path`, `pathlib`, `shutil` and `glob` call them.
"""

from __future__ import annotations

import functools
import glob
import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import has_room_for
from retrace_core.boundary import Boundary, Patch, call, call_free
from retrace_core.calling import called_from
from retrace_core.files.file_access import (
    content_of,
    installed_path,
    is_infrastructure,
    is_temporary,
    is_temporary_name,
    lies_in_scratch,
    materialised,
    materialised_folder,
    stand_in,
    world_path,
)
from retrace_core.lane_hook import lane_hook
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_ASKING = "access getxattr listdir listxattr lstat readlink stat statvfs".split()
_DOING = (
    "chmod chown lchown link mkdir remove removexattr rename replace rmdir setxattr symlink"
    " truncate unlink utime"
).split()
_SIGNALLING = ("kill", "killpg")
_live_readlink: Any = getattr(os, "readlink", None)
_FOLDER = "folder"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LINKS = ("link", "symlink")
"""What they do is at their second path."""
_TWO_PATHS = ("link", "rename", "replace", "symlink")


_STAT_LISTED = frozenset(os.stat_result.__match_args__)
_STAT_NAMES = tuple(
    name for name in dir(os.stat_result) if name.startswith("st_") and name not in _STAT_LISTED
)


def _plain(value: Any) -> object:
    """Return what a function answered as plain data."""
    if isinstance(value, os.stat_result):
        return [list(value), {name: getattr(value, name) for name in _STAT_NAMES}]
    return list(value) if isinstance(value, os.statvfs_result) else value


def _stat_of(value: Any) -> os.stat_result:
    # CPython 3.13 takes no name that the sequence has already.
    named = {name: part for name, part in value[1].items() if name not in _STAT_LISTED}
    return os.stat_result(value[0], named)


def _rebuilt(name: str) -> Callable[[Any], Any]:
    def rebuild(value: Any) -> Any:
        if name in ("stat", "lstat"):
            return _stat_of(value)
        return os.statvfs_result(value) if name == "statvfs" else value

    return rebuild


_BY_INODE = frozenset((shutil.__file__, os.__file__, "<frozen os>"))
"""They make sure that what they open is what they have seen: by real inodes."""
_were: dict[tuple[int, int], tuple[int, int]] = {}
"""During a replay, for inode and device of files of the scratch folder those recorded."""
_MOST = 1000


def _asks_for_inode(frame: FrameType) -> bool:
    return frame.f_code.co_filename in _BY_INODE


def _as_it_was(recorded: Any, now: os.stat_result, *, real: bool) -> os.stat_result:
    """Return the status of a file of the scratch folder with what was recorded, but for its size.

    An archive has in it when its files were changed; what a server answers with a file is marked
    by that, and by which file of the disk it was.

    Args:
        recorded: as `_plain` gave it.
        now: of the file in the scratch folder.
        real: True where the inode is to be the one that it has now.
    """
    kept, more = recorded
    if stat.S_IFMT(kept[0]) != stat.S_IFMT(now.st_mode):
        return now
    if real:
        return _stat_of(
            [[kept[0], now.st_ino, now.st_dev, *kept[3:6], now.st_size, *kept[7:]], more]
        )
    if len(_were) >= _MOST:
        _were.clear()
    _were[now.st_ino, now.st_dev] = kept[1], kept[2]
    return _stat_of([[*kept[:6], now.st_size, *kept[7:]], more])


def _hooked_fstat(original: Callable[[int], os.stat_result]) -> Callable[[int], os.stat_result]:
    @functools.wraps(original)
    def fstat(fd: int) -> os.stat_result:
        return _status_of(fd, original(fd), called_from())

    return fstat


def _status_of(fd: int, now: os.stat_result, frame: FrameType) -> os.stat_result:
    """Return the status of an open file, recorded by the last part of its path.

    Of a temporary file it is said that it is the one that `os.stat` had said.
    """
    lane = current()
    if lane is None or _asks_for_inode(frame):
        return now
    name = None if is_infrastructure(frame) else _opened_as(fd, now, lane.mode)
    if name is not None:
        found: os.stat_result = call_free(
            lane, "file.fstat", (name,), lambda: now, _plain, _stat_of
        )
        return found
    was = _were.get((now.st_ino, now.st_dev)) if lane.mode == REPLAY else None
    if was is None:
        return now
    kept = list(now)
    kept[1:3] = was
    return _stat_of([kept, {name: getattr(now, name) for name in _STAT_NAMES}])


def _opened_as(fd: int, status: os.stat_result, mode: int) -> str | None:
    """Return the last part of the path of an open file of the world, None for anything else."""
    if not stat.S_ISREG(status.st_mode):
        return None
    try:
        path = _live_readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return None
    if mode == REPLAY and lies_in_scratch(path):
        return None if is_temporary(path) else os.path.basename(path)
    named = world_path(path)
    return None if named is None or is_temporary_name(named) else os.path.basename(path)


def _hooked(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    kind, rebuild = f"file.{name}", _rebuilt(name)

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asked(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None or is_infrastructure(called_from()):
                return original(path, *args, **kwargs)
            if name == "stat" and isinstance(path, int):
                return _status_of(path, original(path), called_from())
            if isinstance(path, _Entry) and name in ("stat", "lstat"):
                return path.stat()  # a real entry is not asked of `os` again, by `shutil`
            named = world_path(path)
            if named is None and name in _LINKS and args and world_path(args[0]) is not None:
                named = os.path.basename(os.fsdecode(path))  # of an installed file, say
            installed = installed_path(path) if named is None and name in _DOING else None
            named = installed or named
            if named is None or (kwargs and kwargs.get("dir_fd") is not None):
                return original(path, *args, **kwargs)
            rest: list[object] = list(args)
            if name in _TWO_PATHS and args:
                rest[0] = world_path(args[0]) or (installed and installed_path(args[0]))
            live = functools.partial(original, path, *args, **kwargs)
            if kwargs:
                rest += [value for _, value in sorted(kwargs.items())]
            place = kwargs.get("dst", *args[:1]) if name in _LINKS else path
            real = lane.mode == REPLAY and _asks_for_inode(called_from())

            def again(value: Any) -> Any:
                if name != "access" and is_temporary(place):
                    with suppress(OSError):
                        now = live()
                        told = name in ("stat", "lstat")
                        return _as_it_was(value, now, real=real) if told else now
                return rebuild(value)

            return call_free(lane, kind, (named, *rest), live, _plain, again)

        return lane_hook(original, asked)

    return factory


def _hooked_open(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: Any = None) -> int:  # noqa: A001
        lane = current()
        if lane is None or is_infrastructure(called_from()):
            return int(original(path, flags, mode, dir_fd=dir_fd))
        named = world_path(path)
        if named is None or not (flags & _WRITING or has_room_for(lane, path)):
            return int(original(path, flags, mode, dir_fd=dir_fd))

        def live() -> tuple[int, Any]:
            if os.path.isdir(path):
                return original(path, flags, mode, dir_fd=dir_fd), _FOLDER
            before = None if flags & (os.O_TRUNC | os.O_EXCL) else content_of(path)
            return original(path, flags, mode, dir_fd=dir_fd), before

        def decode(before: Any) -> tuple[int, Any]:
            if before == _FOLDER:
                return original(materialised_folder(named), flags), before
            return original(materialised(named, before), flags | os.O_CREAT, mode), before

        handle, _ = call_free(lane, "file.os_open", (named, flags), live, lambda o: o[1], decode)
        return int(handle)

    return lane_hook(original, open)


def _signalling(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a factory for `os.kill` and the like: on replay a stranger has that number."""

    def factory(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def send(to: int, number: int) -> None:
            lane = current()
            if lane is None or is_infrastructure(called_from()):
                return original(to, number)
            live = functools.partial(original, to, number)
            return call(lane, f"os.{name}", (to, int(number)), live)

        return send

    return factory


def _hooked_chdir(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return an `os.chdir` that goes into a scratch folder where that of the world is not there."""

    @functools.wraps(original)
    def chdir(path: Any) -> None:
        lane = current()
        named = None if lane is None else world_path(path)
        if lane is None or named is None or is_infrastructure(called_from()):
            return original(path)

        def again(_: Any) -> None:
            try:
                original(path)
            except FileNotFoundError:
                original(stand_in(path, named))

        return call_free(
            lane, "file.chdir", (named,), functools.partial(original, path), None, again
        )

    return chdir


class _Entry:
    """One entry of a folder, as `os.DirEntry` has it, from memory."""

    def __init__(self, folder: Any, known: list[Any]) -> None:
        self.name, self._is_dir, self._is_file, self._is_link, self._inode, self._stat = known
        self.path = os.path.join(folder, self.name)

    def __fspath__(self) -> str:
        return str(self.path)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return True for a folder."""
        return self._is_dir and (follow_symlinks or not self._is_link)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Return True for a regular file."""
        return self._is_file and (follow_symlinks or not self._is_link)

    def is_symlink(self) -> bool:
        """Return True for a symbolic link."""
        return bool(self._is_link)

    def is_junction(self) -> bool:
        """Return False: there are none here."""
        return False

    def inode(self) -> int:
        """Return the number of its inode."""
        return int(self._inode)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return what `os.stat` says of it."""
        if self._stat is None:
            raise FileNotFoundError(2, "No such file or directory", self.path)
        return _stat_of(self._stat)


class _Entries:
    """What `os.scandir` returns: an iterator and a context manager."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give no more entries."""
        self._entries = iter(())


def _known(entry: os.DirEntry[Any]) -> list[object]:
    try:
        found: object = _plain(entry.stat())
    except OSError:
        found = None
    return [
        entry.name,
        entry.is_dir(),
        entry.is_file(),
        entry.is_symlink(),
        entry.inode(),
        found,
    ]


def _hooked_scandir(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def scandir(path: Any = ".") -> Any:
        lane = current()
        if lane is None or is_infrastructure(called_from()):
            return original(path)
        named = world_path(path)
        if named is None:
            return original(path)

        def live() -> list[Any]:
            with original(path) as entries:
                return list(entries)

        def encode(entries: list[Any]) -> object:
            return [_known(entry) for entry in entries]

        def decode(known: Any) -> list[Any]:
            return [_Entry(path, one) for one in known]

        return _Entries(call_free(lane, "file.scandir", (named,), live, encode, decode))

    return scandir


def _held(factory: Callable[..., Any]) -> Callable[..., Any]:
    return lambda original: staticmethod(factory(original.__func__))


_GLOBBER: Any = getattr(glob, "_StringGlobber", None)
"""What `Path.glob` of CPython 3.13 goes by, which holds on to functions of `os`."""

BOUNDARY = Boundary(
    kind="os",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *(Patch(os, n, _hooked(n)) for n in (*_ASKING, *_DOING) if hasattr(os, n)),
        *(Patch(os, n, _signalling(n)) for n in _SIGNALLING if hasattr(os, n)),
        Patch(os, "chdir", _hooked_chdir),
        Patch(os, "fstat", _hooked_fstat),
        Patch(os, "open", _hooked_open),
        Patch(os, "scandir", _hooked_scandir),
        *(
            Patch(_GLOBBER, name, _held(factory))
            for name, factory in (("scandir", _hooked_scandir), ("lstat", _hooked("lstat")))
            if name in vars(_GLOBBER or object)
        ),
    ),
)
