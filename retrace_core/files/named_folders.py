"""Named folders: the files of a folder, of a pattern, or beside another, together one event."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, Any

from retrace_core.files.file_access import (
    CONTENT_LIMIT_BYTES,
    content_of,
    materialised_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "Entries",
    "beside_layer",
    "companions",
    "entries_of",
    "has_magic",
    "laid_out",
    "matching",
]

Entries = list[tuple[str, bytes | None, bool, int]]
"""Of each its path in the folder, what is in it (None: a folder), whether that was cut, and when it
was changed. All contents together are as large as that of one file may be."""

_MOST = 5000
"""How many are listed."""


def has_magic(path: str) -> bool:
    """Return True for a pattern of paths."""
    return glob.has_magic(path)


def matching(pattern: str) -> tuple[str, str]:
    """Return the folder in which a pattern begins, and what of it is left there."""
    parts = pattern.split(os.sep)
    plain = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    folder = os.sep.join(parts[:plain])
    if not folder:
        folder = os.sep if pattern.startswith(os.sep) else os.curdir
    return folder, os.sep.join(parts[plain:])


def companions(*suffixes: str) -> Callable[[str], Iterator[str]]:
    """Return what tells which files lie beside one that are read with it.

    Args:
        suffixes: of their names; ".prj" in the place of the file's own, "+.ovr" after it.
    """

    def beside(path: str) -> Iterator[str]:
        stem = os.path.splitext(path)[0]
        for suffix in suffixes:
            other = path + suffix[1:] if suffix.startswith("+") else stem + suffix
            if other != path and os.path.isfile(other):
                yield other

    return beside


beside_layer = companions(
    *(".shp", ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", "+.xml"),
    *(".dat", ".map", ".id", ".mid", ".qmd", "+-wal", "+-shm"),
)
"""What may lie beside a layer that GDAL opens, of whichever format."""


def entries_of(place: str, beside: Iterable[str] | None = None, *, pattern: str = "") -> Entries:
    """Return what is in a folder, or in a file and what lies beside it.

    Args:
        place: a folder; or, with `beside`, a file, which comes first.
        beside: other files.
        pattern: only what it matches.
    """
    if beside is not None:
        files = [os.path.abspath(one) for one in (place, *beside)]
        folder = os.path.commonpath([os.path.dirname(one) for one in files])
        found: Iterable[str] = (os.path.relpath(one, folder) for one in files)
    elif pattern:
        folder = place
        found = sorted(glob.glob(pattern, root_dir=place, recursive=True))
    else:
        folder = place
        found = _walked(place)
    return list(_contents(folder, found))


def _walked(folder: str) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in (*sorted(files), *folders):
            yield os.path.relpath(os.path.join(path, name), folder)


def _contents(folder: str, found: Iterable[str]) -> Iterator[tuple[str, bytes | None, bool, int]]:
    room = CONTENT_LIMIT_BYTES
    for number, name in enumerate(found):
        whole = os.path.join(folder, name)
        if number >= _MOST:
            yield name, b"", True, 0
            return
        if os.path.isdir(whole):
            yield name, None, False, 0
            continue
        content = content_of(whole)
        if content is None:
            continue
        data, cut, changed_ns = content
        yield name, data[:room], cut or len(data) > room, changed_ns
        room = max(0, room - len(data))


def laid_out(name: str, entries: Any, *, apart: bool = False) -> str:
    """Return the path of a scratch folder of a replay, with what was in it.

    Args:
        name: of the folder, or of the file; as `world_path` returned it.
        entries: as of `entries_of`.
        apart: True for a file and what lies beside it, whose folder has no name.
    """
    folder = materialised_folder("beside" if apart else name)
    for below, data, _, changed_ns in entries:
        parts = os.path.normpath(below).split(os.sep)
        if os.path.isabs(below) or os.pardir in parts:
            continue  # a recording may be a stranger's
        path = os.path.join(folder, below)
        if data is None:
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, ns=(changed_ns, changed_ns))
    return folder
