"""Spooled store: what is put goes into a spool; what is asked, the store behind it answers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Unpack

from retrace_core.errors import StoreError, StoreUnavailable
from retrace_core.ids import names_boot_tape
from retrace_core.store.pack import make_pack
from retrace_core.store.paths import path_of, safe_names, unsafe_names
from retrace_core.store.spool import FAILURE, SUCCESS, TAPE
from retrace_core.store.spool_budget import SpoolBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.store.blobs import Blobs
    from retrace_core.store.protocol import Store, StoredRecording, Wanted
    from retrace_core.store.spool import Spool

__all__ = ["SpooledStore"]

_Recording = tuple[str, str, str, bytes]


class SpooledStore:
    """A store that is written by way of a spool; used by the writer.

    Args:
        behind: where recordings are shipped to.
        spool: where they wait.
        budget_bytes: how much may wait.
        pack_from: from how many recordings in one step on they become one pack; 0 for never.
        wake: called when there is something to ship.
    """

    def __init__(
        self,
        behind: Store,
        spool: Spool,
        budget_bytes: int,
        *,
        pack_from: int = 0,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.behind = behind
        self.spool = spool
        self._budget = SpoolBudget(spool, budget_bytes)
        self._pack_from = pack_from
        self._wake = wake

    def __repr__(self) -> str:
        return f"SpooledStore({self.url!r}, {self.spool.root!r})"

    @property
    def url(self) -> str:
        """That of the store behind."""
        return self.behind.url

    @property
    def root(self) -> str:
        """What the path of a recording is told below."""
        return self.behind.url

    @property
    def blobs(self) -> Blobs:
        """Those of the store behind."""
        return self.behind.blobs

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording in the spool, and return the path that it should get.

        Raises:
            StoreError: a name is not safe, or there is no room.
        """
        (answer,) = self.put_all([(folder, service, span_id, data)])
        if isinstance(answer, StoreError):
            raise answer
        return answer

    def put_all(self, recordings: Sequence[_Recording]) -> list[str | StoreError]:
        """Keep several recordings, each given as the arguments of `put`."""
        return self.put_ranked(recordings, [False for _ in recordings])

    def put_ranked(
        self, recordings: Sequence[_Recording], failed: Sequence[bool]
    ) -> list[str | StoreError]:
        """Keep several recordings; those of failed requests are dropped last."""
        answers: list[str | StoreError] = [
            unsafe_names(folder, service) for folder, service, *_ in recordings
        ]
        groups: dict[int, list[int]] = {}
        for number, recording in enumerate(recordings):
            if safe_names(*recording[:3]):
                rank = TAPE if names_boot_tape(recording[0]) else FAILURE if failed[number] else 0
                groups.setdefault(rank, []).append(number)
        for rank, numbers in groups.items():
            packed = rank != TAPE and 0 < self._pack_from <= len(numbers)
            put = self._put_packed if packed else self._put_loose
            given = put(rank, [recordings[number] for number in numbers])
            for number, answer in zip(numbers, given, strict=True):
                answers[number] = answer
        self._wake()
        return answers

    def _put_packed(self, rank: int, recordings: list[_Recording]) -> list[str | StoreError]:
        data = make_pack(recordings)
        name = secrets.token_hex(8)
        (error,) = self._put(rank, [(len(recordings), "", "", name, data)])
        return [
            error or path_of(folder, service, span_id) for folder, service, span_id, _ in recordings
        ]

    def _put_loose(self, rank: int, recordings: list[_Recording]) -> list[str | StoreError]:
        errors = self._put(rank, [(1, *recording) for recording in recordings])
        return [
            error or path_of(folder, service)
            for error, (folder, service, _, _) in zip(errors, recordings, strict=True)
        ]

    def _put(
        self, rank: int, files: list[tuple[int, str, str, str, bytes]]
    ) -> list[StoreError | None]:
        sizes = [len(file[-1]) for file in files]
        try:
            admitted = [self._budget.admit(size_bytes, rank) for size_bytes in sizes]
        except StoreError as error:
            return [error for _ in files]
        fitting = [file for file, fits in zip(files, admitted, strict=True) if fits]
        errors = self.spool.put_all([(rank, *file) for file in fitting])
        if any(isinstance(error, StoreUnavailable) for error in errors):
            errors = self._again(rank, fitting, errors)
        given = iter(errors)
        return [
            next(given) if fits else self._no_room(file[0], len(file[-1]))
            for file, fits in zip(files, admitted, strict=True)
        ]

    def _again(
        self,
        rank: int,
        files: list[tuple[int, str, str, str, bytes]],
        errors: list[StoreError | None],
    ) -> list[StoreError | None]:
        """Try again what found the disk full, where something less worthy can be dropped."""
        left = [n for n, error in enumerate(errors) if error is not None]
        size_bytes = sum(len(files[n][-1]) for n in left)
        try:
            if rank == SUCCESS or not self._budget.make_room(size_bytes):
                return errors
        except (StoreError, OSError):
            return errors
        again = self.spool.put_all([(rank, *files[n]) for n in left])
        answers = list(errors)
        for n, error in zip(left, again, strict=True):
            answers[n] = error
        return answers

    def _no_room(self, recordings: int, size_bytes: int) -> StoreError:
        self._budget.refused(recordings, size_bytes)
        return StoreUnavailable(
            f"the spool {self.spool.root} is full; make RETRACE_SPOOL_BYTES larger, or see with"
            " retrace doctor why nothing is shipped"
        )

    def get(self, path: str) -> bytes:
        """Return the bytes of a recording that was shipped; raises as the store behind does."""
        return self.behind.get(path)

    def list(self, **wanted: Unpack[Wanted]) -> Iterator[StoredRecording]:
        """Yield what was shipped, as the store behind does."""
        return self.behind.list(**wanted)

    def stat(self, path: str) -> StoredRecording:
        """Return what is known of a recording that was shipped."""
        return self.behind.stat(path)

    def delete(self, path: str) -> None:
        """Remove a recording that was shipped."""
        self.behind.delete(path)

    def presign(self, path: str, *, expires_s: int = 3600) -> str:
        """Return a URL by which anybody may read a recording that was shipped."""
        return self.behind.presign(path, expires_s=expires_s)
