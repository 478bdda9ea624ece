"""Spool: a folder of this machine in which recordings wait to be shipped to a store.

    waiting/    recordings and packs, each whole; the oldest successes go when it is too full
    claimed/    those that the one shipper who has the lock is shipping, or left when it died
    refused/    those that no store would take, for a person to look at
    dropped/    those that were dropped and not yet written into dropped.jsonl

All moves are renames, so that a process may be killed at any moment: whatever was whole in
waiting/ ends in the store or in dropped.jsonl, once. Several processes write to one spool;
one ships from it.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.errors import StoreError
from retrace_core.forked import after_fork
from retrace_core.native import put_files
from retrace_core.store.folder_blobs import create, file_error, link

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FAILURE", "SUCCESS", "TAPE", "Spool", "Spooled"]

SUCCESS, FAILURE, TAPE = 0, 1, 2
"""Ranks, the first to be dropped first: of successes, failures, and the tapes of processes."""
_NAME = re.compile(
    r"(?P<rank>[0-2])(?P<time>\d{19})~(?P<size>\d{1,12})~(?P<count>\d{1,6})"
    r"~(?P<folder>[A-Za-z0-9._-]*)~(?P<service>[A-Za-z0-9._-]*)~(?P<span>[0-9a-f]{16})",
    re.ASCII,
)
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Spooled:
    """One file of a spool, by its name alone."""

    name: str
    rank: int
    time_ns: int
    """When it was put, by the clock of its process."""
    size_bytes: int
    count: int
    """How many recordings it has; a pack has several, or one and no folder."""
    folder: str
    service: str
    span_id: str
    """Of a recording; of a pack random digits."""

    @property
    def is_pack(self) -> bool:
        """True for a pack."""
        return not self.folder


def spooled(name: str) -> Spooled | None:
    """Return what a file's name says; None for a foreign one."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return Spooled(
        name,
        int(match["rank"]),
        int(match["time"]),
        int(match["size"]),
        int(match["count"]),
        match["folder"],
        match["service"],
        match["span"],
    )


class Spool:
    """The folder, as a writer and a shipper use it.

    Args:
        root: its path; made, for this user alone, when the first recording is put.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self.waiting = f"{self.root}/waiting"
        self.claimed = f"{self.root}/claimed"
        self._made = False

    def make(self) -> None:
        """Make the folders, private.

        Raises:
            StoreError: they can't be made, or are another user's.
        """
        try:
            for name in ("", "waiting", "claimed", "refused", "dropped"):
                os.makedirs(f"{self.root}/{name}", 0o700, exist_ok=True)
            status = os.lstat(self.root)
        except OSError as error:
            raise file_error(error, self.root, "made") from error
        if status.st_uid != os.geteuid():
            raise StoreError(
                f"{self.root} is another user's; set RETRACE_SPOOL to a folder of yours"
            )
        self._made = True

    def put_all(
        self, files: list[tuple[int, int, str, str, str, bytes]]
    ) -> list[StoreError | None]:
        """Keep files, each given as rank, count, folder, service, span id and bytes.

        Returns:
            For each None, or the error for which it could not be kept.
        """
        if not self._made:
            try:
                self.make()
            except StoreError as error:
                return [error for _ in files]
        written = [self._file(*file) for file in files]
        done = put_files(written)
        return [
            None if whole else self._step_by_step(temporary, path, data)
            for whole, (_, _, temporary, path, data) in zip(done, written, strict=True)
        ]

    def _file(
        self, rank: int, count: int, folder: str, service: str, span_id: str, data: bytes
    ) -> tuple[str, str, str, str, bytes]:
        # A name that exists is never met: time, span and the number of the file make it.
        now = max(0, time.time_ns()) + next(_numbers) % 1000
        name = f"{rank}{now:019d}~{len(data)}~{count}~{folder}~{service}~{span_id}"
        temporary = f"{self.waiting}/.{os.getpid()}.{secrets.token_hex(6)}.tmp"
        return ("", "", temporary, f"{self.waiting}/{name}", data)

    def _step_by_step(self, temporary: str, path: str, data: bytes) -> StoreError | None:
        """Write where the native way failed, for the error at least."""
        try:
            try:
                handle = create(temporary)
            except FileNotFoundError:  # somebody has removed the whole spool
                self.make()
                handle = create(temporary)
            try:
                with open(handle, "wb") as file:
                    file.write(data)
                link(temporary, path, data)
            finally:
                os.unlink(temporary)
        except OSError as error:
            return file_error(error, self.waiting, "written")
        except StoreError as error:
            return error
        return None

    def list(self, where: str = "waiting") -> list[Spooled]:
        """Return what is in one of the folders, unsorted; foreign files are passed over.

        Raises:
            StoreError: it can't be read; one that is not there is empty.
        """
        try:
            names = os.listdir(f"{self.root}/{where}")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise file_error(error, f"{self.root}/{where}", "read") from error
        return [one for one in map(spooled, names) if one is not None]

    def claim(self, one: Spooled) -> bool:
        """Take a waiting file for the shipper who has the lock; False when it is gone."""
        return self._move(f"{self.waiting}/{one.name}", f"{self.claimed}/{one.name}")

    def read(self, one: Spooled) -> bytes:
        """Return the bytes of a claimed file.

        Raises:
            StoreError: it can't be read.
        """
        path = f"{self.claimed}/{one.name}"
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                return file.read()
        except OSError as error:
            raise file_error(error, path, "read") from error

    def confirm(self, one: Spooled) -> None:
        """Remove a claimed file: the store has it.

        Raises:
            StoreError: it can't be removed; it will be shipped again, and recognised.
        """
        try:
            os.unlink(f"{self.claimed}/{one.name}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise file_error(error, self.claimed, "removed") from error

    def refuse(self, one: Spooled) -> None:
        """Put a claimed file aside that no store would take."""
        self._move(f"{self.claimed}/{one.name}", f"{self.root}/refused/{one.name}")

    def _move(self, source: str, target: str) -> bool:
        try:
            os.rename(source, target)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise file_error(error, self.root, "written") from error
        return True

    @contextmanager
    def lock(self, name: str = "ship", *, wait: bool = False) -> Iterator[bool]:
        """Have the lock of a purpose, or (False) another process or thread has it.

        The system gives it back when its process dies. A child that is forked meanwhile does not
        have it: it closes the file.

        Raises:
            StoreError: the folder can't be written.
        """
        try:
            if not self._made:
                self.make()
            handle = os.open(
                f"{self.root}/.{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise file_error(error, self.root, "locked") from error
        _held.add(handle)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            except OSError as error:
                raise file_error(error, self.root, "locked") from error
            yield True
        finally:
            if handle in _held:  # else this is a child that was forked meanwhile
                _held.discard(handle)
                os.close(handle)


_held: set[int] = set()


def _after_fork() -> None:
    for handle in _held:
        os.close(handle)
    _held.clear()


after_fork(_after_fork)
