"""Directory: a folder as a store; folders 0700, files 0600, exclusive names.

A recording is written under a temporary name and then given its own, exclusively. The usual
case, the first of its trace here, is native, one call for many. Else it is linked: a link fails
when the name is taken, on every file system including network ones, where a rename would
overwrite. File systems without links get an exclusive create under the final name instead.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.errors import StoreError
from retrace_core.ids import names_boot_tape, safe_folder, valid_service
from retrace_core.native import put_files
from retrace_core.store.protocol import StoredRecording
from retrace_core.store.verified import mark_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["DirectoryStore"]

_NAME = re.compile(r"(trace|boot)(\.[0-9a-f]{16}(\.\d+)?)?\.bin")
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class DirectoryStore:
    """Recordings below one folder.

    Args:
        root: the folder; made when the first recording is put.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = os.path.abspath(os.fspath(root))

    def __repr__(self) -> str:
        return f"DirectoryStore({self.root!r})"

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording under a path of its own, and return the path.

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
            StoreError(f"{folder!r}/{service!r} is no safe path; nothing was written")
            if file is None
            else f"{folder}/{service}/{_stem(folder)}.bin"
            if next(done)
            else self._step_by_step(folder, service, span_id, file)
            for file, (folder, service, span_id, _) in zip(files, recordings, strict=True)
        ]

    def _file(
        self, folder: str, service: str, span_id: str, data: bytes
    ) -> tuple[str, str, str, str, bytes] | None:
        if not safe_folder(folder) or not valid_service(service) or not safe_folder(span_id):
            return None
        place = f"{self.root}/{folder}/{service}"
        temporary = f"{place}/.trace.{span_id}.{os.getpid()}.tmp"
        return (f"{self.root}/{folder}", place, temporary, f"{place}/{_stem(folder)}.bin", data)

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
                name = _publish(temporary, place, _stem(folder), span_id, data)
            finally:
                os.unlink(temporary)
        except OSError as error:
            refused = StoreError(
                f"{place} can't be written ({error.strerror}); check the folder, its permissions"
                " and the space on its disk"
            )
            refused.__cause__ = error
            return refused
        return f"{folder}/{service}/{name}"

    def _create(self, place: str, temporary: str) -> int:
        trace = os.path.dirname(place)
        try:
            os.mkdir(trace, 0o700)
        except FileExistsError:
            pass
        except FileNotFoundError:
            os.makedirs(self.root, 0o700, exist_ok=True)
            os.mkdir(trace, 0o700)
        try:
            os.mkdir(place, 0o700)
        except FileExistsError:
            if os.path.islink(place) or os.path.islink(trace):
                raise OSError(errno.ELOOP, "a symbolic link stands in the way", place) from None
        return os.open(temporary, _FLAGS, 0o600)

    def get(self, path: str) -> bytes:
        """Return the bytes of the recording at a logical path.

        Raises:
            StoreError: the path is not one of a recording, or it can't be read.
        """
        try:
            return Path(self._locate(path)).read_bytes()
        except OSError as error:
            raise StoreError(f"{path} can't be read ({error.strerror}); see retrace ls") from error

    def list(self, *, folder: str = "", service: str = "") -> Iterator[StoredRecording]:
        """Yield what is kept, in no particular order; foreign files are passed over.

        Boot tapes are not among it, but where their folder is named.

        Raises:
            StoreError: the folder is not there or can't be read.
        """
        try:
            traces = [folder] if folder else os.listdir(self.root)
        except OSError as error:
            raise StoreError(
                f"{self.root} can't be listed ({error.strerror}); set RETRACE_RECORDING_PATH or"
                " give --recordings"
            ) from error
        for trace in traces:
            if safe_folder(trace) and (folder or not names_boot_tape(trace)):
                yield from self._list_trace(trace, service)

    def _list_trace(self, trace: str, wanted: str) -> Iterator[StoredRecording]:
        for service in _names(f"{self.root}/{trace}"):
            if not valid_service(service) or wanted not in ("", service):
                continue
            for name in _names(f"{self.root}/{trace}/{service}"):
                if not _NAME.fullmatch(name):
                    continue
                path = f"{trace}/{service}/{name}"
                try:
                    status = os.lstat(f"{self.root}/{path}")
                except OSError:
                    continue  # removed meanwhile
                yield StoredRecording(path, trace, service, status.st_size, status.st_mtime_ns)

    def delete(self, path: str) -> None:
        """Remove the recording at a logical path, and its folders when they are empty then.

        Raises:
            StoreError: the path is not one of a recording, or it can't be removed.
        """
        place = self._locate(path)
        try:
            os.unlink(place)
        except OSError as error:
            raise StoreError(f"{path} can't be removed ({error.strerror})") from error
        mark_path(Path(place)).unlink(missing_ok=True)
        for parent in (os.path.dirname(place), os.path.dirname(os.path.dirname(place))):
            try:
                os.rmdir(parent)
            except OSError:
                return

    def _locate(self, path: str) -> str:
        parts = path.split("/")
        if len(parts) == 3 and safe_folder(parts[0]) and valid_service(parts[1]):
            if _NAME.fullmatch(parts[2]):
                return f"{self.root}/{path}"
        raise StoreError(f"{path!r} is no path of a recording; see retrace ls")


def _stem(folder: str) -> str:
    """Return how the files of a folder are called: those of a trace, or those of a boot tape."""
    return "boot" if names_boot_tape(folder) else "trace"


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _publish(temporary: str, place: str, stem: str, span_id: str, data: bytes) -> str:
    """Give the written file the first final name that is free, and return it."""
    number = 0
    while True:
        later = f"{stem}.{span_id}.bin" if number == 1 else f"{stem}.{span_id}.{number}.bin"
        name = later if number else f"{stem}.bin"
        try:
            os.link(temporary, f"{place}/{name}")
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if not _create_final(f"{place}/{name}", data):
                number += 1
                continue
        return name


def _create_final(path: str, data: bytes) -> bool:
    """Write the final name directly; a failure takes it away again. False: it is taken."""
    try:
        handle = os.open(path, _FLAGS, 0o600)
    except FileExistsError:
        return False
    try:
        _write_all(handle, data)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(handle)
    return True
