"""File access: which paths are the world, how they are named, and where replay puts them.

The code, the interpreter and what the system brings are there on every machine; all other
files are the world: uploads, reports, temporary files, stores of the application's own.
"""

from __future__ import annotations

import codecs
import fnmatch
import functools
import genericpath
import glob
import itertools
import os
import pathlib
import posixpath
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from retrace_core.exempt import classify, recorded_site
from retrace_core.files.temporary_folder import AT_FIRST, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, FrameType

__all__ = [
    "CONTENT_LIMIT_BYTES",
    "NOTHING",
    "as_given",
    "asker",
    "content_of",
    "in_recorded_folders",
    "installed_path",
    "is_infrastructure",
    "is_still_here",
    "is_temporary",
    "is_temporary_name",
    "lies_in_scratch",
    "materialised",
    "materialised_folder",
    "recorded_folder",
    "stand_in",
    "told_as",
    "with_recorded_folder",
    "world_path",
    "world_text",
]

CONTENT_LIMIT_BYTES = 4 << 20
"""How much of one file is kept when it is opened; beyond it the recording is tainted."""

_PIECE_BYTES = 256 << 10

NOTHING = (b"", False, 0)
"""An empty file, as of `content_of`."""
_ADDRESS = re.compile(r"(?<![0-9])(?:9[34][0-9]{12}|1(?:39|40)[0-9]{12})(?![0-9])")
"""What `id` says of an object on Linux, as a name of a file may have it to be its own."""
_CODE = (".pyc", ".so", ".pyd", ".pth", ".mo")
"""Not `.py`: one that is imported is opened by infrastructure, and others are uploads, settings."""
_SYSTEM = ("/dev/", "/usr/", "/lib/", "/lib64/", "/etc/ssl/", "/etc/pki/")
"""Where the files of the machine's own software are, but for a working folder that lies there."""
_HERE = pathlib.Path(__file__).absolute().parents[1]
_PREFIXES = tuple(
    {
        os.path.join(os.path.realpath(place), "")
        for place in (
            sys.prefix,
            sys.base_prefix,
            sys.exec_prefix,
            *(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")),
            *(str(_HERE.with_name(name)) for name in ("retrace_core", "retrace_mw")),
        )
    }
)
_ON_BEHALF = (
    *(f"<frozen {name}>" for name in ("os", "genericpath", "posixpath", "ntpath", "codecs")),
    *(module.__file__ for module in (genericpath, glob, os, pathlib, posixpath, shutil)),
    *(module.__file__ for module in (codecs, fnmatch, tempfile)),
    *(
        str(_HERE.joinpath(path))
        for path in ("boundaries/io.py", "boundaries/tempfile.py", "files/open_of_now.py")
    ),
)
_SERVING = tuple(
    os.path.join(os.sep, *path.split("/"))
    for path in (
        "starlette/staticfiles.py",
        "zstandard/__init__.py",
        "starlette/responses.py",
        "aiohttp/web_fileresponse.py",
        "aiohttp/web_urldispatcher.py",
        "logging/config.py",
    )
)
"""Of libraries that are infrastructure otherwise: what answers with the application's files, or
reads its settings, which a start-up that is replayed reads again."""
_TEMPORARY = "$TMP/"
_INSTALLED = "$INSTALLED/"
_STAND_IN = "file-of-the-world-"
"""What folders of the scratch folder are called that have one file, or folder, of the world."""
_numbers = itertools.count()
_recorded: list[str] = []
"""During a replay, the folder for temporary files as it was recorded."""
_ran_in: list[str] = []
"""And the working folder."""
_homes: list[str] = []
"""And the person's folder as it is, and as it was."""
_gone_into: dict[str, str] = {}
"""During a replay, the folders which stand for those that code has gone into -> these."""
_told_as: dict[str, str] = {}
"""During a replay, for paths of its scratch files those that the code had given."""
_infrastructure: dict[CodeType, bool] = {}


def world_path(path: Any) -> str | None:
    """Return how a path is named in a recording, or None when it is none of the world's.

    Below the working folder, which is ".", it is relative, below the folder for temporary files it
    begins with "$TMP": both lie elsewhere on another machine. So may the person's folder, but that
    keeps the name that it had. For the address of an object, which is another one in each process,
    stands "$ID".
    """
    try:
        text = os.fsdecode(path)
    except TypeError:  # a file descriptor, or nothing
        return None
    temporary = (temporary_folder(), *_recorded)
    here = os.getcwd()
    return _named(text, (_gone_into.get(here, here), *_ran_in), temporary, tuple(_homes))


def installed_path(path: Any) -> str | None:
    """Return how a path among what is installed is named where something is done to it.

    It is read as it lies, and so is nameless elsewhere; None for what lies in the world, and code.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        return None
    whole = os.path.abspath(text)
    if whole.endswith(_CODE) or "__pycache__" in whole:
        return None
    below = [len(prefix) for prefix in _PREFIXES if whole.startswith(prefix)]
    return f"{_INSTALLED}{whole[max(below) :]}" if below else None


@functools.lru_cache(1024)
def _named(
    text: str,
    working_folders: tuple[str, ...],
    temporary_folders: tuple[str, ...],
    homes: tuple[str, ...],
) -> str | None:
    whole = _ADDRESS.sub("$ID", os.path.normpath(os.path.join(working_folders[0], text)))
    if whole.endswith(_CODE) or "__pycache__" in whole:
        return None
    if homes and whole.startswith(homes[0]):
        near = [os.path.join(one, "") for one in (working_folders[0], temporary_folders[0])]
        if not whole.startswith((*near, *_PREFIXES)):
            whole = os.path.join(homes[1], whole[len(homes[0]) :])
    if whole in working_folders:
        return os.curdir
    heres = (os.path.join(folder, "") for folder in working_folders)
    here = next((one for one in heres if whole.startswith(one)), "")
    for folder in temporary_folders:
        temporary = os.path.join(folder, "")
        if any(whole.startswith(one) and len(one) > len(temporary) for one in _PREFIXES):
            return None  # an environment that was made below it
        if whole.startswith(temporary) and len(here) <= len(temporary):
            return _TEMPORARY + whole[len(temporary) :]
    installed = [len(place) for place in (*_PREFIXES, *_SYSTEM) if whole.startswith(place)]
    if installed and max(installed) >= len(here):
        return None
    return whole[len(here) :]


def world_text(text: str) -> str:
    """Return a text, as of a program's argument, with "$TMP" for the folder for temporary files.

    Only where a path begins: `/var/tmp/a` has nothing to do with `/tmp`. The interpreter that runs
    the application, which is elsewhere on a laptop, is "$PYTHON".
    """
    if text and text == sys.executable:
        return "$PYTHON"
    for folder in (temporary_folder(), *_recorded):
        begins = rf"(?<![\w./-]){re.escape(os.path.join(folder, ''))}"
        text = re.sub(begins, lambda _: _TEMPORARY, text)
    return text


def with_recorded_folder(data: bytes) -> bytes:
    """Return what code reckons with, or says, with the recorded folder for temporary files in it.

    Only during a replay is there another one. Its name is drawn: it stands nowhere by chance.
    """
    now, was = temporary_folder(), recorded_folder()
    if not was or os.path.basename(now).encode() not in data:
        return data
    for path, given in _told_as.items() if _STAND_IN.encode() in data else ():
        data = data.replace(os.fsencode(path), os.fsencode(given))
    quoted = quote(now, safe="").encode(), quote(was, safe="").encode()
    return data.replace(os.fsencode(now), os.fsencode(was)).replace(*quoted)


def told_as(path: str, given: str) -> None:
    """Have a scratch file of a replay told by the path that the code had given for it."""
    if _STAND_IN in path:
        _told_as[path] = given


def as_given(text: str) -> str:
    """Return a text with the paths that the code had given for scratch files that are named."""
    for path, given in _told_as.items() if _STAND_IN in text else ():
        text = text.replace(path, given)
    return text


def recorded_folder() -> str:
    """Return the folder for temporary files of the process whose recording is replayed, or ""."""
    return _recorded[0] if _recorded else ""


def is_infrastructure(frame: FrameType | None) -> bool:
    """Return True for a caller whose files are its own affair: logging, imports, tracers.

    `os`, `pathlib`, `codecs` and the like ask on behalf of theirs.
    """
    code = _asking(frame)
    if code is None:
        return True
    known = _infrastructure.get(code)
    if known is None:
        serving = code.co_filename.endswith(_SERVING)
        known = _infrastructure[code] = classify(code) < 0 and not serving
    return known


def asker(frame: FrameType | None) -> str:
    """Return on whose behalf a file is asked for: the place of a function's code."""
    return recorded_site(_asking(frame))


def _asking(frame: FrameType | None) -> CodeType | None:
    while frame is not None and frame.f_code.co_filename in _ON_BEHALF:
        frame = frame.f_back
    return None if frame is None else frame.f_code


@contextmanager
def in_recorded_folders(temporary: str, working: str, home: str = "") -> Iterator[None]:
    """Name what is below recorded folders in the block as what is below those of today.

    On replay they are others, and a path that the application was configured with still begins
    with the recorded one.

    Args:
        temporary: the folder for temporary files, which is a scratch folder on replay.
        working: the one that it ran in, which may not be there.
        home: of the person whom it ran as; "" where that is not known.
    """
    before = _recorded[:], _ran_in[:], _homes[:]
    _told_as.clear()
    _recorded[:] = [temporary or AT_FIRST]
    _ran_in[:] = [working] if working else []
    here = os.path.join(os.path.expanduser("~"), "")
    _homes[:] = [here, home] if home and os.path.isabs(here) and here != os.sep else []
    try:
        yield
    finally:
        _recorded[:], _ran_in[:], _homes[:] = before


def lies_in_scratch(path: Any) -> bool:
    """Return True for a path in the scratch folder of a replay."""
    return _below_scratch(path) is not None


def is_temporary_name(name: str) -> bool:
    """Return True where `world_path` returned this for a temporary file."""
    return name.startswith(_TEMPORARY)


def is_temporary(path: Any) -> bool:
    """Return True for a temporary file of a replay: to these, things are done for real.

    Not so in a folder which stands for one of the world, that code has gone into.
    """
    below = _below_scratch(path)
    return below is not None and not below.startswith(_STAND_IN)


def _below_scratch(path: Any) -> str | None:
    whole = os.path.normpath(os.path.join(os.getcwd(), os.fsdecode(path)))
    scratch = os.path.join(temporary_folder(), "")
    return whole.removeprefix(scratch) if whole.startswith(scratch) else None


def content_of(path: Any) -> tuple[bytes, bool, int] | None:
    """Return a regular file's content, whether it was cut, and when it was changed.

    The time is Unix time in nanoseconds. None for no such file.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        # Raw, and a piece at a time: /proc/sys refuses to be asked for megabytes at once.
        with os.fdopen(handle, "rb", buffering=0) as file:
            pieces = [file.read(_PIECE_BYTES)]
            while pieces[-1] and len(pieces) * _PIECE_BYTES <= CONTENT_LIMIT_BYTES:
                pieces.append(file.read(_PIECE_BYTES))
    except OSError:
        return None
    content = b"".join(pieces)
    return content[:CONTENT_LIMIT_BYTES], len(content) > CONTENT_LIMIT_BYTES, status.st_mtime_ns


def is_still_here(path: Any, before: Sequence[Any]) -> bool:
    """Return True for a file that was too large to be recorded, and lies here as it did.

    A model, say, that the application comes with. All that is known of it is how it begins.

    Args:
        path: of the file.
        before: as of `content_of`.
    """
    if not before[1]:
        return False
    now = content_of(path)
    return now is not None and now[1] and now[0] == before[0]


def materialised_folder(name: str) -> str:
    """Return the path of a scratch folder of a replay, which may be empty."""
    path = materialised(name, None)
    os.makedirs(path, exist_ok=True)
    return path


def stand_in(path: Any, name: str) -> str:
    """Return the path of an empty scratch folder of a replay, to be gone into for one of the world.

    Args:
        path: of that one.
        name: as `world_path` returned it.
    """
    folder = os.path.realpath(materialised_folder(name))
    _gone_into[folder] = os.path.abspath(os.fsdecode(path))
    return folder


def materialised(name: str, before: Sequence[Any] | None) -> str:
    """Return the path of a scratch file of a replay, with content where there is some.

    Args:
        name: as `world_path` returned it; its last part stays.
        before: what was in it, as of `content_of`; None for one that is not there yet.
    """
    if name.startswith(_TEMPORARY):
        path = os.path.join(temporary_folder(), name.removeprefix(_TEMPORARY))
        os.makedirs(os.path.dirname(path), exist_ok=True)
    else:
        folder = os.path.join(temporary_folder(), f"{_STAND_IN}{next(_numbers)}")
        os.mkdir(folder)
        path = os.path.join(folder, os.path.basename(name) or "file")
    if before is not None:
        if os.path.islink(path) and not lies_in_scratch(os.path.realpath(path)):
            os.unlink(path)  # what it would lead to is not there, or is not to be written
        with open(path, "wb") as file:
            file.write(before[0])
        os.utime(path, ns=(before[2], before[2]))
    return path
