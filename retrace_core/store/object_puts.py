"""Object puts: many conditional puts at a time, each on a thread that blocks in the client.

Not by the client's asyncio: its own threads let go of Python objects after they have answered,
and where the interpreter is being taken down by then, the process is aborted (seen). A blocking
call has let go of all when it returns. At the end of a process those that wait for a store are
left where they are, on threads that nobody waits for.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from retrace_core.errors import StoreError, StoreUnavailable
from retrace_core.store.cloud_errors import cloud_error
from retrace_core.store.object_blobs import CONFLICTS, is_conflict, is_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core.store.cloud import Cloud

__all__ = ["BlobBatch", "ObjectPuts"]

_AT_ONCE = 16
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
        self._changed = threading.Condition()
        self._interrupts = 0

    def each(
        self, put: Callable[[_Item], _Answer], items: Sequence[_Item]
    ) -> list[_Answer | StoreError]:
        """Call `put` for each item, many at a time; an answer or error of each, in order."""
        called_off = StoreUnavailable(f"{self._cloud.url}: called off; it is shipped later")
        answers: list[_Answer | StoreError] = [called_off for _ in items]
        left = iter(range(len(items)))
        done = 0
        begun = self._interrupts

        def work() -> None:
            nonlocal done
            while True:
                with self._changed:
                    number = next(left, None)
                    if number is None or self._interrupts != begun:
                        return
                try:
                    answer: _Answer | StoreError = put(items[number])
                except StoreError as error:
                    answer = error
                except Exception as error:
                    answer = StoreError(f"{self._cloud.url}: {type(error).__name__}: {error}")
                with self._changed:
                    answers[number] = answer
                    done += 1
                    self._changed.notify_all()

        if len(items) == 1:
            work()
            return answers
        for _ in range(min(_AT_ONCE, len(items))):
            threading.Thread(target=work, name="retrace-put", daemon=True).start()
        with self._changed:
            while done < len(items) and self._interrupts == begun:
                self._changed.wait()
            return list(answers)

    def interrupt(self) -> None:
        """Have `each` return at once, from another thread; what is under way may still arrive."""
        with self._changed:
            self._interrupts += 1
            self._changed.notify_all()

    def create(self, key: str, data: bytes) -> bool:
        """Keep bytes under a key; False, and nothing is changed, when it is taken.

        Raises:
            StoreError: they could not be kept.
        """
        import obstore

        client = self._cloud.client()
        for _ in range(CONFLICTS):
            try:
                obstore.put(client, key, data, mode="create")
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
