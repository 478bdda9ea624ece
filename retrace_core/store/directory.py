"""Directory: a folder as a store; folders 0700, files 0600, exclusive names.

A recording is written under a temporary name and then given its own, exclusively. The usual
case, the first of its trace here, is native, one call for many. Else it is linked: a link fails
when the name is taken, on every file system including network ones, where a rename would
overwrite. File systems without links get an exclusive create under the final name instead.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.errors import NotStored, StoreCannot, StoreError
from retrace_core.ids import names_boot_tape, safe_folder, valid_service
from retrace_core.native import put_files
from retrace_core.store.folder_blobs import FolderBlobs, create, file_error, link
from retrace_core.store.paths import (
    candidates,
    check_path,
    path_of,
    safe_names,
    split_path,
    unsafe_names,
)
from retrace_core.store.protocol import END_NS, StoredRecording
from retrace_core.store.verified import mark_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.store.blobs import Blobs

__all__ = ["DirectoryStore"]

_token = secrets.token_hex(4)
"""Two pods on one volume may have the same process id."""
_numbers = itertools.count()


class DirectoryStore:
    """Recordings below one folder.

    Args:
        root: the folder; made when the first recording is put.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = os.path.abspath(os.fspath(root))

    def __repr__(self) -> str:
        return f"DirectoryStore({self.root!r})"

    @property
    def url(self) -> str:
        """The folder's absolute path."""
        return self.root

    @property
    def blobs(self) -> Blobs:
        """The named bytes below the same folder."""
        return FolderBlobs(self.root)

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording under a path of its own, and return the path.

        The same bytes put again by the same names are recognised, and not kept twice.

        Raises:
            StoreError: a name is not safe, or the file system refused.
        """
        (answer,) = self.put_all([(folder, service, span_id, data)])
        if isinstance(answer, StoreError):
            raise answer
        return answer

    def put_all(self, recordings: Sequence[tuple[str, str, str, bytes]]) -> list[str | StoreError]:
        """Keep several recordings, each given as the arguments of `put`.

        Returns:
            The path of each, or the error for which it could not be kept.
        """
        files = [self._file(*recording) for recording in recordings]
        done = iter(put_files([file for file in files if file is not None]))
        return [
            unsafe_names(folder, service)
            if file is None
            else path_of(folder, service)
            if next(done)
            else self._step_by_step(folder, service, span_id, file)
            for file, (folder, service, span_id, _) in zip(files, recordings, strict=True)
        ]

    def _file(
        self, folder: str, service: str, span_id: str, data: bytes
    ) -> tuple[str, str, str, str, bytes] | None:
        if not safe_names(folder, service, span_id):
            return None
        place = f"{self.root}/{folder}/{service}"
        temporary = f"{place}/.trace.{span_id}.{os.getpid()}.{_token}{next(_numbers)}.tmp"
        final = f"{self.root}/{path_of(folder, service)}"
        return (f"{self.root}/{folder}", place, temporary, final, data)

    def _step_by_step(
        self, folder: str, service: str, span_id: str, file: tuple[str, str, str, str, bytes]
    ) -> str | StoreError:
        # Something was there, or is wrong: find the recording's place, or the error.
        _, place, temporary, _, data = file
        try:
            handle = self._create(place, temporary)
            try:
                try:
                    _write_all(handle, data)
                finally:
                    os.close(handle)
                name = _publish(temporary, place, candidates(folder, span_id), data)
            finally:
                os.unlink(temporary)
        except OSError as error:
            return file_error(error, place, "written")
        return f"{folder}/{service}/{name}"

    def _create(self, place: str, temporary: str) -> int:
        trace = os.path.dirname(place)
        try:
            os.mkdir(trace, 0o700)
        except FileExistsError:
            pass
        except FileNotFoundError:
            os.makedirs(self.root, 0o700, exist_ok=True)
            os.makedirs(trace, 0o700, exist_ok=True)  # another process may have been quicker
        try:
            os.mkdir(place, 0o700)
        except FileExistsError:
            if os.path.islink(place) or os.path.islink(trace):
                raise OSError(errno.ELOOP, "a symbolic link stands in the way", place) from None
        return create(temporary)

    def get(self, path: str) -> bytes:
        """Return the bytes of the recording at a logical path.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or it can't be read.
        """
        place = self._locate(path)
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise _read_error(error, path) from error

    def list(
        self,
        *,
        folder: str = "",
        begins: str = "",
        service: str = "",
        since_ns: int = 0,
        until_ns: int = END_NS,
        boot_tapes: bool = False,
    ) -> Iterator[StoredRecording]:
        """Yield what is kept, in no particular order; foreign files are passed over.

        Args: as of `Store.list`.

        Raises:
            StoreError: the folder is not there or can't be read.
        """
        try:
            folders = [folder] if folder else os.listdir(self.root)
        except OSError as error:
            raise StoreError(
                f"{self.root} can't be listed ({error.strerror}); set RETRACE_RECORDING_PATH or"
                " give --recordings"
            ) from error
        for name in folders:
            asked = bool(folder) or boot_tapes or not names_boot_tape(name)
            if asked and safe_folder(name) and name.startswith(begins):
                for stored in self._list_folder(name, service):
                    if since_ns <= stored.modified_ns <= until_ns:
                        yield stored

    def _list_folder(self, folder: str, wanted: str) -> Iterator[StoredRecording]:
        for service in _names(f"{self.root}/{folder}"):
            if not valid_service(service) or wanted not in ("", service):
                continue
            for name in _names(f"{self.root}/{folder}/{service}"):
                path = f"{folder}/{service}/{name}"
                if split_path(path) is None:
                    continue
                try:
                    status = os.lstat(f"{self.root}/{path}")
                except OSError:
                    continue  # removed meanwhile
                yield StoredRecording(path, folder, service, status.st_size, status.st_mtime_ns)

    def stat(self, path: str) -> StoredRecording:
        """Return what is known of the recording at a logical path.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or its folder can't be read.
        """
        folder, service, _ = check_path(path)
        try:
            status = os.lstat(f"{self.root}/{path}")
        except OSError as error:
            raise _read_error(error, path) from error
        return StoredRecording(path, folder, service, status.st_size, status.st_mtime_ns)

    def delete(self, path: str) -> None:
        """Remove the recording at a logical path, and its folders when they are empty then.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or it can't be removed.
        """
        place = self._locate(path)
        try:
            os.unlink(place)
        except FileNotFoundError as error:
            raise _read_error(error, path) from error
        except OSError as error:
            raise StoreError(f"{path} can't be removed ({error.strerror})") from error
        mark_path(Path(place)).unlink(missing_ok=True)
        for parent in (os.path.dirname(place), os.path.dirname(os.path.dirname(place))):
            try:
                os.rmdir(parent)
            except OSError:
                return

    def presign(self, path: str, *, expires_s: int = 3600) -> str:
        """Raise StoreCannot: nobody else can read a file of this machine by a URL."""
        check_path(path)
        raise StoreCannot(
            f"{urllib.parse.quote(self.root)} is a folder, which has no URLs for others to read"
            " by; send them the folder of the trace, or use s3://, gs:// or az://"
        )

    def _locate(self, path: str) -> str:
        check_path(path)
        return f"{self.root}/{path}"


def _read_error(error: OSError, path: str) -> StoreError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return NotStored(f"{path} can't be read ({error.strerror}); see retrace ls")
    return StoreError(f"{path} can't be read ({error.strerror}); see retrace ls")


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _publish(temporary: str, place: str, names: Iterator[str], data: bytes) -> str:
    """Give the written file the first final name that is free, and return it.

    A name that is taken by the same bytes is its own: it was put before, and nobody had word.
    """
    for name in names:
        if link(temporary, f"{place}/{name}", data) or _holds(f"{place}/{name}", data):
            return name
    raise AssertionError("names never end")


def _holds(path: str, data: bytes) -> bool:
    """Return True where a file holds just these bytes; False too where it is gone by now."""
    try:
        if os.lstat(path).st_size != len(data):
            return False
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read() == data
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP, errno.EACCES):
            raise
        return False
