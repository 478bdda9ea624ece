"""Object store: recordings in S3 and whatever is compatible, Google Cloud Storage and Azure.

A recording is one object, named by its logical path below the prefix, and put on the condition
that there is none: two that claim one path never overwrite each other, however many write.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from retrace_core.errors import NotStored, StoreError
from retrace_core.ids import names_boot_tape
from retrace_core.store.cloud import Cloud
from retrace_core.store.cloud_errors import cloud_error
from retrace_core.store.object_blobs import ObjectBlobs, blob_of
from retrace_core.store.object_puts import ObjectPuts
from retrace_core.store.paths import candidates, check_names, check_path, split_path
from retrace_core.store.protocol import END_NS, StoredRecording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["ObjectStore"]


class ObjectStore:
    """Recordings below a prefix of a bucket.

    Args:
        url: s3://bucket/prefix, gs://bucket/prefix or az://container/prefix.

    Raises:
        ConfigurationError: the library for it is not installed.
    """

    def __init__(self, url: str) -> None:
        self._cloud = Cloud(url)
        self._puts = ObjectPuts(self._cloud)
        self._blobs = ObjectBlobs(self._cloud, self._puts)

    def __repr__(self) -> str:
        return f"ObjectStore({self.url!r})"

    @property
    def url(self) -> str:
        """The URL it was opened by."""
        return self._cloud.url

    @property
    def usable_here(self) -> bool:
        """False in a process that was forked from one which had reached a cloud."""
        return self._cloud.usable_here

    @property
    def blobs(self) -> ObjectBlobs:
        """The named bytes below the same prefix."""
        return self._blobs

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording under a path of its own, and return the path.

        The same bytes put again by the same names are recognised, and not kept twice.

        Raises:
            StoreError: a name is not safe, or it could not be kept.
        """
        (answer,) = self.put_all([(folder, service, span_id, data)])
        if isinstance(answer, StoreError):
            raise answer
        return answer

    def put_all(self, recordings: Sequence[tuple[str, str, str, bytes]]) -> list[str | StoreError]:
        """Keep several recordings, many at a time, each given as the arguments of `put`.

        Returns:
            The path of each, or the error for which it could not be kept.
        """
        return self._puts.each(lambda recording: self._put(*recording), recordings)

    def interrupt(self) -> None:
        """Call off the puts that are under way, from another thread; they answer with errors."""
        self._puts.interrupt()

    def _put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        check_names(folder, service, span_id)
        for name in itertools.islice(candidates(folder, span_id), 1000):
            path = f"{folder}/{service}/{name}"
            if self._puts.create(path, data) or self._holds(path, data):
                return path
        raise StoreError(f"{self.url}/{folder}/{service} has too many recordings of one span")

    def _holds(self, path: str, data: bytes) -> bool:
        """Return True where an object holds just these bytes: they were put before."""
        try:
            return self._blobs.stat(path).size_bytes == len(data) and self._blobs.get(path) == data
        except NotStored:
            return False  # removed meanwhile

    def get(self, path: str) -> bytes:
        """Return the bytes of the recording at a logical path.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or it can't be read.
        """
        check_path(path)
        return self._blobs.get(path)

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
        """Yield what is kept, in order of the paths; foreign names are passed over.

        Args: as of `Store.list`.

        Raises:
            StoreError: the store can't be read.
        """
        below = f"{folder}/{service}" if folder and service else folder
        if folder and split_path(f"{folder}/x/trace.bin") is None:
            return
        # Keys come in order, so that a beginning is a place to begin at, and one to end at.
        for meta in self._blobs.metas(below, "" if folder else begins):
            if not folder and not meta["path"].startswith(begins):
                if meta["path"] > begins:
                    return
                continue
            parts = split_path(meta["path"])
            if parts is None or service not in ("", parts[1]):
                continue
            if not (folder or boot_tapes) and names_boot_tape(parts[0]):
                continue
            stored = _stored(parts, meta)
            if since_ns <= stored.modified_ns <= until_ns:
                yield stored

    def stat(self, path: str) -> StoredRecording:
        """Return what is known of the recording at a logical path.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or the store can't be asked.
        """
        folder, service, _ = check_path(path)
        blob = self._blobs.stat(path)
        return StoredRecording(path, folder, service, blob.size_bytes, blob.modified_ns)

    def delete(self, path: str) -> None:
        """Remove the recording at a logical path; one that is not there is no error.

        Raises:
            StoreError: the path is not one of a recording, or it can't be removed.
        """
        check_path(path)
        self._blobs.delete(path)

    def delete_all(self, paths: Sequence[str]) -> Sequence[StoreError | None]:
        """Remove several recordings, many at a time.

        Returns:
            None for each that is gone now, or the error for which it is not: `NotStored` for one
            that never was.
        """

        def delete_one(path: str) -> None:
            self.stat(path)
            self.delete(path)

        answers: Sequence[StoreError | None] = self._puts.each(delete_one, paths)
        return answers

    def rewrite(
        self, paths: Sequence[str], change: Callable[[str, bytes], bytes]
    ) -> Sequence[StoreError | None]:
        """Change recordings in place, many at a time; see `RewritableStore.rewrite`."""

        def rewrite_one(path: str) -> None:
            check_path(path)
            self._blobs.rewrite(path, lambda data: change(path, data))

        answers: Sequence[StoreError | None] = self._puts.each(rewrite_one, paths)
        return answers

    def presign(self, path: str, *, expires_s: int = 3600) -> str:
        """Return a URL by which anybody may read the recording for a time.

        Raises:
            StoreError: the path is not one of a recording, or the credentials can't sign.
        """
        import obstore

        check_path(path)
        client = self._cloud.client()
        try:
            return str(obstore.sign(client, "GET", path, timedelta(seconds=expires_s)))
        except Exception as error:
            raise cloud_error(error, self.url, path, "signed") from error


def _stored(parts: tuple[str, str, str], meta: Any) -> StoredRecording:
    blob = blob_of(meta)
    return StoredRecording(blob.key, parts[0], parts[1], blob.size_bytes, blob.modified_ns)
