"""An asynchronous server in a thread of its own, to be called and then stopped by the tests."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")


@contextmanager
def served(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run an asynchronous context manager in a thread's own loop; yield what it yields."""
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, T]] = Future()

    async def main() -> None:
        stop = asyncio.Event()
        try:
            async with server as value:
                begun.set_result((asyncio.get_running_loop(), stop, value))
                await stop.wait()
        except BaseException as error:
            if not begun.done():
                begun.set_exception(error)
            raise

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    loop, stop, value = begun.result(30)
    try:
        yield value
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
