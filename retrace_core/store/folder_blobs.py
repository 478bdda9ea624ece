"""Folder blobs: files below a folder as named bytes; private, whole, and never overwritten."""

from __future__ import annotations

import errno
import os
import secrets
from typing import TYPE_CHECKING

from retrace_core.errors import NotStored, StoreError, StoreUnavailable
from retrace_core.store.blobs import Blob, check_key

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FolderBlobs", "create", "file_error", "link"]

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE)
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class FolderBlobs:
    """Named bytes below one folder.

    Args:
        root: its absolute path; made when the first bytes are put.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def put(self, key: str, data: bytes) -> bool:
        """Keep bytes under a key, whole; False, and nothing is changed, when it is taken.

        Raises:
            StoreError: they could not be kept.
        """
        path = f"{self.root}/{check_key(key)}"
        place, name = os.path.split(path)
        temporary = f"{place}/.{name}.{secrets.token_hex(8)}.tmp"
        try:
            _make_folders(place)
            handle = create(temporary)
            try:
                with open(handle, "wb") as file:
                    file.write(data)
                return link(temporary, path, data)
            finally:
                os.unlink(temporary)
        except OSError as error:
            raise file_error(error, place, "written") from error

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of a key, or a part of them.

        Raises:
            NotStored: there are none.
            StoreError: they can't be read.
        """
        path = f"{self.root}/{check_key(key)}"
        try:
            with open(path, "rb") as file:
                file.seek(start)
                return file.read(-1 if length is None else length)
        except OSError as error:
            raise file_error(error, path, "read") from error

    def list(self, folder: str = "") -> Iterator[Blob]:
        """Yield all below a folder, at any depth; a folder that is not there yields nothing.

        Raises:
            StoreError: the store can't be read.
        """
        top = f"{self.root}/{check_key(folder)}" if folder else self.root
        for place, _, names in os.walk(top):
            for name in names:
                if name.startswith("."):
                    continue  # being written
                path = f"{place}/{name}"
                try:
                    status = os.lstat(path)
                except OSError:
                    continue  # removed meanwhile
                key = path[len(self.root) + 1 :]
                yield Blob(key, status.st_size, status.st_mtime_ns)

    def stat(self, key: str) -> Blob:
        """Return what is known of a key.

        Raises:
            NotStored: there is none.
            StoreError: the store can't be asked.
        """
        path = f"{self.root}/{check_key(key)}"
        try:
            status = os.stat(path)
        except OSError as error:
            raise file_error(error, path, "read") from error
        return Blob(key, status.st_size, status.st_mtime_ns)

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error.

        Raises:
            StoreError: it can't be removed.
        """
        path = f"{self.root}/{check_key(key)}"
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise file_error(error, path, "removed") from error


def _make_folders(place: str) -> None:
    """Make a folder and those above it, each private: makedirs has a mode for the last only."""
    try:
        os.mkdir(place, 0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_folders(os.path.dirname(place))
        os.makedirs(place, 0o700, exist_ok=True)


def create(path: str) -> int:
    """Make a new private file and return its descriptor; raises OSError."""
    return os.open(path, _FLAGS, 0o600)


def link(temporary: str, path: str, data: bytes) -> bool:
    """Give a written file its final name, exclusively; False: the name is taken.

    A link fails when the name is taken, on every file system including network ones, where a
    rename would overwrite. File systems without links get an exclusive create instead.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        # Over NFS the answer to a link that was made may get lost, and the client asks again.
        return os.stat(temporary).st_nlink == 2
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _create_final(path, data)
    return True


def _create_final(path: str, data: bytes) -> bool:
    """Write the final name directly; a failure takes it away again. False: it is taken."""
    try:
        handle = create(path)
    except FileExistsError:
        return False
    try:
        with open(handle, "wb") as file:
            file.write(data)
    except BaseException:
        os.unlink(path)
        raise
    return True


def file_error(error: OSError, place: str, what: str) -> StoreError:
    """Return the error of a store for one of the file system, with it as its cause."""
    if isinstance(error, FileNotFoundError) and what == "read":
        made: StoreError = NotStored(f"{place} can't be read ({error.strerror})")
    else:
        kind = StoreUnavailable if error.errno in _FULL else StoreError
        made = kind(
            f"{place} can't be {what} ({error.strerror}); check the folder, its permissions"
            " and the space on its disk"
        )
    made.__cause__ = error
    return made
