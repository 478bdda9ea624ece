"""Object blobs: objects of a bucket as named bytes, put exclusively by a conditional put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.errors import StoreError, StoreUnavailable
from retrace_core.store.blobs import Blob, check_key
from retrace_core.store.cloud_errors import cloud_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.store.cloud import Cloud
    from retrace_core.store.object_puts import ObjectPuts

__all__ = ["CONFLICTS", "ObjectBlobs", "blob_of", "is_conflict", "is_taken"]

CONFLICTS = 5
"""How often a put is tried again that met another of the same key at the same moment."""


class ObjectBlobs:
    """Named bytes below a prefix of a bucket.

    Args:
        cloud: which.
        puts: puts many at a time into it.
    """

    def __init__(self, cloud: Cloud, puts: ObjectPuts) -> None:
        self._cloud = cloud
        self._puts = puts

    def put(self, key: str, data: bytes) -> bool:
        """Keep bytes under a key, whole; False, and nothing is changed, when it is taken.

        Raises:
            StoreError: they could not be kept.
        """
        return self._puts.create(check_key(key), data)

    def put_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[StoreError | None]:
        """Keep blobs, many at a time, each given as key and bytes.

        Returns:
            None for each that is there now, or the error for which it could not be kept.
        """
        answers = self._puts.each(
            lambda blob: self._puts.create(check_key(blob[0]), blob[1]), blobs
        )
        return [answer if isinstance(answer, StoreError) else None for answer in answers]

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of a key, or a part of them.

        Raises:
            NotStored: there are none.
            StoreError: they can't be read.
        """
        import obstore

        check_key(key)
        client = self._cloud.client()
        try:
            if length == 0:
                obstore.head(client, key)
                return b""
            if length is not None:
                return bytes(obstore.get_range(client, key, start=start, length=length))
            options: Any = {"range": {"offset": start}} if start else None
            return bytes(obstore.get(client, key, options=options).bytes())
        except Exception as error:
            raise cloud_error(error, self._cloud.url, key, "read") from error

    def rewrite(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Put other bytes in the place of a key's, in one step, unless others change it.

        Args:
            key: whose.
            change: gets the bytes, returns others; called again where others changed them.

        Raises:
            NotStored: there are none, or none any more.
            StoreError: they can't be read or written; they are as they were.
        """
        import obstore

        check_key(key)
        client = self._cloud.client()
        for _ in range(CONFLICTS):
            try:
                found = obstore.get(client, key)
                meta: Any = found.meta
                before = bytes(found.bytes())
            except Exception as error:
                raise cloud_error(error, self._cloud.url, key, "read") from error
            after = change(before)
            mode: Any = {name: meta[name] for name in ("e_tag", "version") if meta.get(name)}
            try:
                obstore.put(client, key, after, mode=mode)
            except Exception as error:
                if not (type(error).__name__ == "PreconditionError" or is_conflict(error)):
                    raise cloud_error(error, self._cloud.url, key, "written") from error
            else:
                return
        raise StoreUnavailable(
            f"{self._cloud.url}/{key} can't be written now: others do; try again"
        )

    def list(self, folder: str = "") -> Iterator[Blob]:
        """Yield all below a folder, at any depth; a folder that is not there yields nothing.

        Raises:
            StoreError: the store can't be read.
        """
        if folder:
            check_key(folder)
        for meta in self.metas(folder):
            yield blob_of(meta)

    def metas(self, folder: str, after: str = "") -> Iterator[Any]:
        """Yield what the client says of each object below a folder, after a key, in order.

        Raises:
            StoreError: the store can't be read.
        """
        import obstore

        client = self._cloud.client()
        try:
            chunks = obstore.list(
                client, prefix=folder or None, offset=after or None, chunk_size=1000
            )
            for chunk in chunks:
                yield from chunk
        except StoreError:
            raise
        except Exception as error:
            raise cloud_error(error, self._cloud.url, folder, "listed") from error

    def folders(self, folder: str = "") -> Sequence[str]:
        """Return the names of the folders right below one.

        Raises:
            StoreError: the store can't be read.
        """
        import obstore

        try:
            found = obstore.list_with_delimiter(self._cloud.client(), prefix=folder or None)
        except StoreError:
            raise
        except Exception as error:
            raise cloud_error(error, self._cloud.url, folder, "listed") from error
        return [one.rstrip("/").rsplit("/", 1)[-1] for one in found["common_prefixes"]]

    def stat(self, key: str) -> Blob:
        """Return what is known of a key.

        Raises:
            NotStored: there is none.
            StoreError: the store can't be asked.
        """
        import obstore

        check_key(key)
        try:
            return blob_of(obstore.head(self._cloud.client(), key))
        except StoreError:
            raise
        except Exception as error:
            raise cloud_error(error, self._cloud.url, key, "read") from error

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error.

        Raises:
            StoreError: it can't be removed.
        """
        import obstore

        check_key(key)
        client = self._cloud.client()
        try:
            obstore.delete(client, key)
        except FileNotFoundError as error:
            made = cloud_error(error, self._cloud.url, key, "read")
            if not isinstance(made, StoreUnavailable) and "there is nothing" not in str(made):
                raise made from error
        except Exception as error:
            raise cloud_error(error, self._cloud.url, key, "removed") from error


def blob_of(meta: Any) -> Blob:
    """Return what the client says of an object, as ours."""
    when = meta["last_modified"]
    modified_ns = int(when.timestamp()) * 1_000_000_000 + when.microsecond * 1000
    return Blob(meta["path"], meta["size"], modified_ns)


def is_taken(error: Exception) -> bool:
    """Return True where a conditional put found its key taken."""
    return type(error).__name__ == "AlreadyExistsError"


def is_conflict(error: Exception) -> bool:
    """Return True where another put of the same key ran at the same moment, and either may win."""
    text = str(error)
    return "409 Conflict" in text or "ConditionalRequestConflict" in text
