"""Keep list: which traces a service has decided to keep, told to the others through the store.

One tiny file per trace, `<root>/.keep/<trace-id>`, which holds the name of the service
that published it. No command takes the folder for a trace: no trace id begins with a dot.
"""

from __future__ import annotations

import itertools
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retrace_core.ids import safe_folder, valid_service

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KeepList"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_MOST = 10_000
"""More names than this are not looked at."""
_EXPIRY_S = 300.0
_SWEEP_S = 30.0
_SETTLED_S = 2.0
"""So long after its last change a folder's time tells whether there was a later one."""


class KeepList:
    """The keep list of one store; used by the writer's thread only.

    Args:
        root: the store's folder.
    """

    __slots__ = ("_looked_at", "_names", "_swept", "folder")

    def __init__(self, root: str) -> None:
        self.folder = os.path.join(root, ".keep")
        self._names: frozenset[str] = frozenset()
        self._looked_at: tuple[int, int] | None = None
        self._swept = 0.0

    def publish(self, trace: str, service: str) -> None:
        """Say that a trace is kept; once is enough, later ones change nothing.

        Raises:
            OSError: it can't be written.
        """
        if not safe_folder(trace):
            return
        os.makedirs(self.folder, 0o700, exist_ok=True)
        with self._open() as folder:
            try:
                handle = os.open(trace, _CREATE, 0o600, dir_fd=folder)
            except FileExistsError:
                return
            try:
                os.write(handle, service.encode())
                now = os.fstat(handle).st_mtime  # the clock of the file system, not ours
            finally:
                os.close(handle)
            if abs(now - self._swept) > _SWEEP_S:
                self._swept = now
                _sweep(folder, now)

    def look(self) -> frozenset[str]:
        """Return the ids of the traces that are kept; unsafe names are passed over.

        Raises:
            OSError: the folder can't be read; one that is not there is empty.
        """
        try:
            with self._open() as folder:
                status = os.fstat(folder)
                found = (status.st_ino, status.st_mtime_ns)
                if found != self._looked_at:
                    with os.scandir(folder) as entries:
                        self._names = frozenset(
                            entry.name
                            for entry in itertools.islice(entries, _MOST)
                            if safe_folder(entry.name) and entry.is_file(follow_symlinks=False)
                        )
                    settled = abs(time.time() - status.st_mtime) > _SETTLED_S
                    self._looked_at = found if settled else None
        except FileNotFoundError:
            self._names, self._looked_at = frozenset(), None
        return self._names

    def publisher(self, trace: str) -> str:
        """Return the service that published a trace, or "" where that can't be told."""
        try:
            with self._open() as folder:
                handle = os.open(trace, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
                try:
                    name = os.read(handle, 100).decode("ascii", "replace")
                finally:
                    os.close(handle)
        except OSError:
            return ""
        return name if valid_service(name) else ""

    @contextmanager
    def _open(self) -> Iterator[int]:
        folder = os.open(self.folder, _FOLDER)
        try:
            yield folder
        finally:
            os.close(folder)


def _sweep(folder: int, now: float) -> None:
    """Remove what has expired; names that are none of ours stay."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in itertools.islice(entries, _MOST)]
    for name in filter(safe_folder, names):
        try:
            if abs(now - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime) > _EXPIRY_S:
                os.unlink(name, dir_fd=folder)
        except OSError:  # another process was first, or it is no file
            continue
