"""Object puts: many conditional puts at a time, on a loop of their own that can be interrupted.

Each batch runs on a loop of our own: not that of the application, nor of a kind that it has
set. At the end of a process the batch is called off, so that the client's own threads have
nothing to say any more when the interpreter is taken down.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from retrace_core.errors import StoreError, StoreUnavailable
from retrace_core.store.cloud_errors import cloud_error
from retrace_core.store.object_blobs import CONFLICTS, is_conflict, is_taken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from retrace_core.store.cloud import Cloud

__all__ = ["BlobBatch", "ObjectPuts"]

_AT_ONCE = 32
"""How many puts of one batch are under way at a time."""

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@runtime_checkable
class BlobBatch(Protocol):
    """Blobs of which several in one step cost less than one by one."""

    def put_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[StoreError | None]:
        """Keep blobs, each given as key and bytes; None of each that is there now, or an error."""
        ...


class ObjectPuts:
    """Puts objects into one bucket.

    Args:
        cloud: which.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._running: dict[asyncio.Task[object], asyncio.AbstractEventLoop] = {}

    def each(
        self, put: Callable[[_Item], Awaitable[_Answer]], items: Sequence[_Item]
    ) -> list[_Answer | StoreError]:
        """Await `put` for each item, many at a time; an answer or error of each, in order."""
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            return runner.run(self._each(put, items))

    async def _each(
        self, put: Callable[[_Item], Awaitable[_Answer]], items: Sequence[_Item]
    ) -> list[_Answer | StoreError]:
        free = asyncio.Semaphore(_AT_ONCE)

        async def put_one(item: _Item) -> _Answer | StoreError:
            try:
                async with free:
                    return await put(item)
            except StoreError as error:
                return error
            except asyncio.CancelledError:
                return StoreUnavailable(f"{self._cloud.url}: called off; it is shipped later")

        tasks = [asyncio.ensure_future(put_one(item)) for item in items]
        loop = asyncio.get_running_loop()
        with self._lock:
            self._running.update(dict.fromkeys(tasks, loop))
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            with self._lock:
                for task in tasks:
                    self._running.pop(task, None)

    def interrupt(self) -> None:
        """Call off what is under way, from another thread."""
        with self._lock:
            for task, loop in self._running.items():
                loop.call_soon_threadsafe(task.cancel)

    async def create(self, key: str, data: bytes) -> bool:
        """Keep bytes under a key; False, and nothing is changed, when it is taken.

        Raises:
            StoreError: they could not be kept.
        """
        import obstore

        client = self._cloud.client()
        for _ in range(CONFLICTS):
            try:
                await obstore.put_async(client, key, data, mode="create")
            except Exception as error:
                if is_taken(error):
                    return False
                if not is_conflict(error):
                    raise cloud_error(error, self._cloud.url, key, "written") from error
            else:
                return True
        raise StoreUnavailable(
            f"{self._cloud.url}/{key} can't be written now: others do; try again"
        )
