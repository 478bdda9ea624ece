"""curl_cffi under asyncio: a transfer of many handles that one multi handle drives.

It is the event that `Curl.perform` is, once it has ended. What drives it is nobody's.

Hooks: `AsyncCurl.add_handle`, and its `__init__` and `close`, which begin and end a task that looks
whether any is stuck. Read in curl_cffi 0.17.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from curl_cffi.aio import AsyncCurl
from curl_cffi.curl import CurlError

from retrace_core.boundary import Boundary, Patch, call_async
from retrace_core.http_clients.curl_handle import PERFORM, PIECE, failure_of, handle_of
from retrace_core.masked import masked, masked_async
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def _add_handle(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(original)
    def add_handle(self: Any, curl: Any) -> Awaitable[None]:
        if current() is None:
            return original(self, curl)
        return asyncio.create_task(_transfer(curl, functools.partial(original, self, curl)))

    return add_handle


async def _transfer(curl: Any, add: Callable[[], Awaitable[None]]) -> None:
    lane: Any = current()
    handle = handle_of(curl)
    if lane is None:  # its recording has ended
        return await add()

    async def live() -> list[Any] | None:
        handle.records_in(lane)
        try:
            await add()
        except CurlError as error:
            return failure_of(error)
        finally:
            handle.records_in(None)
        return None

    if lane.mode == REPLAY:
        while (name := handle.next_of(lane)) is not None:
            handle.get(lane, name, await lane.scope.answer_async(lane, PIECE, name))
    failed = await call_async(lane, PERFORM, handle.asked(), live)
    if failed is not None:
        raise CurlError(*failed)


BOUNDARY = Boundary(
    kind="curl_cffi",
    supports="curl_cffi>=0.7",
    hooks=(
        Patch(AsyncCurl, "__init__", masked),
        Patch(AsyncCurl, "add_handle", _add_handle),
        Patch(AsyncCurl, "close", masked_async),
    ),
    errors=(CurlError,),
)
