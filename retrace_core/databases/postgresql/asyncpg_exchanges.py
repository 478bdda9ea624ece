"""asyncpg's exchanges: what each sends, as a key, and what the server says, as it comes.

Each is a method of asyncpg's protocol object; one at a time runs on a connection, so that
all that is received meanwhile is its answer.
"""

from __future__ import annotations

import functools
import itertools
import zlib
from typing import TYPE_CHECKING, Any

import asyncpg

from retrace_core.boundary import call_async
from retrace_core.checksum import checksum_text
from retrace_core.databases.postgresql.asyncpg_answers import asked_sql, error_fields
from retrace_core.databases.postgresql.asyncpg_descriptions import described
from retrace_core.errors import LiveCallRefused
from retrace_core.native import LANE, REPLAY, current, encode, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

__all__ = ["COPY_IN", "COPY_OUT", "EXCHANGES", "Fed", "asked", "hooked", "used_up"]

EXCHANGES: dict[str, tuple[str, ...]] = {
    "query": ("query", "timeout"),
    "bind_execute": ("state", "args", "portal_name", "limit", "return_extra", "timeout"),
    "bind_execute_many": ("state", "args", "portal_name", "timeout", "return_rows"),
    "bind": ("state", "args", "portal_name", "timeout"),
    "execute": ("state", "portal_name", "limit", "return_extra", "timeout"),
    "close_portal": ("portal_name", "timeout"),
    "copy_in": ("copy_stmt", "reader", "data", "records", "record_stmt", "timeout"),
    "copy_out": ("copy_stmt", "sink", "timeout"),
}
"""The names of each one's parameters, by position."""

COPY_IN, COPY_OUT = "asyncpg.copy_in", "asyncpg.copy_out"
INBOX = "_retrace_inbox"


def asked(given: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return (statement, key) of an exchange.

    Args:
        given: its arguments by name; those of `executemany` as a list.
    """
    state = given.get("state")
    sql = str(given.get("query", "") if state is None else state.query)
    key: list[Any] = [asked_sql(sql)]
    key += [list(given["args"])] if "args" in given else []
    key += [given["limit"]] if given.get("limit") else []
    return sql, key


def used_up(rows: Iterable[Any]) -> tuple[list[Any], Exception | None]:
    """Return what an iterable of the application's gives, and the error that it ends with."""
    found: list[Any] = []
    try:
        for row in rows:
            found.append(row)  # noqa: PERF402  # what came before an error counts
    except Exception as error:  # noqa: BLE001  # raised again, after the rows before it
        return found, error
    return found, None


def _raising(error: Exception) -> Iterator[Any]:
    yield from ()
    raise error


class Fed:
    """What the application feeds to COPY, taken in its own lane; `sum` stands for it in keys,
    as far as it was taken."""

    def __init__(self, lane: Any) -> None:
        self.lane = lane
        self.sum: list[Any] = [0, checksum_text(0, 0)]
        self._length = self._crc32 = 0

    def add(self, item: Any) -> None:
        """Take note of a chunk of bytes, or of a row."""
        data = item if isinstance(item, bytes | bytearray | memoryview) else encode(list(item))
        self._length += len(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self.sum[:] = self.sum[0] + 1, checksum_text(self._length, self._crc32)

    def given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `copy_in` such that what they give is noted."""
        found = dict(arguments)
        if found.get("data") is not None:
            self.add(found["data"])
        for name in ("reader", "records"):
            source = found.get(name)
            if hasattr(source, "__aiter__"):
                found[name] = self._each_async(source)
            elif name == "records" and source is not None:
                found[name] = self._each(source)
        return found

    async def _each_async(self, source: Any) -> AsyncIterator[Any]:
        iterator = source.__aiter__()
        while True:
            before = LANE.get()
            LANE.set(self.lane)
            try:
                item = await iterator.__anext__()
            except StopAsyncIteration:
                return
            finally:
                LANE.set(before)
            self.add(item)
            yield item

    def _each(self, source: Any) -> Iterator[Any]:
        iterator = iter(source)
        while True:
            before = LANE.get()
            LANE.set(self.lane)
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                LANE.set(before)
            self.add(item)
            yield item


def hooked(name: str) -> Callable[[Any], Any]:
    """Return the factory of a hook by which an exchange is recorded."""
    run = {"copy_in": _copied_in, "copy_out": _copied_out}.get(name, _exchanged)
    kind, names = f"asyncpg.{name}", EXCHANGES[name]

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def exchanging(self: Any, *args: Any, **kwargs: Any) -> Awaitable[Any]:
            lane = current()
            if lane is None:
                return original(self, *args, **kwargs)  # type: ignore[no-any-return]
            if lane.mode == REPLAY:
                raise LiveCallRefused(kind, "a server, on a connection from before the replay")
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            return run(self, lane, kind, original, given)

        return exchanging

    return factory


async def _exchanged(self: Any, lane: Any, kind: str, original: Any, given: Any) -> Any:
    live_given = given
    if kind == "asyncpg.bind_execute_many":
        rows, failed = used_up(given["args"])
        given = {**given, "args": rows}
        source = rows if failed is None else itertools.chain(rows, _raising(failed))
        live_given = {**given, "args": source}
    inbox: list[bytes] = []

    async def live() -> tuple[Any, Exception | None]:
        if self._is_cancelling():  # what is said until then is another exchange's answer
            await _cancelled(self)
        self.__dict__[INBOX] = inbox
        try:
            return await original(self, **live_given), None
        except asyncpg.PostgresError as error:
            if not self.is_connected():
                raise
            return None, error
        finally:
            self.__dict__.pop(INBOX, None)

    if given.get("state") is not None:
        described(lane, self, given["state"])
    result, error = await call_async(lane, kind, asked(given)[1], live, lambda _: b"".join(inbox))
    if error is not None:
        raise error
    return result


async def _cancelled(self: Any) -> None:
    try:
        waiting = self._wait_for_cancellation(None)
    except TypeError:  # before asyncpg 0.32
        waiting = self._wait_for_cancellation()
    await waiting


def _copy_outcome(outcome: tuple[Any, Any]) -> dict[str, Any]:
    result, error = outcome
    return {"status": result} if error is None else {"failed": error_fields(error)}


async def _said(self: Any, running: Awaitable[Any]) -> tuple[Any, Exception | None]:
    try:
        return await running, None
    except asyncpg.PostgresError as error:
        if not self.is_connected():
            raise
        return None, error


async def _copied_in(self: Any, lane: Any, kind: str, original: Any, given: Any) -> Any:
    fed = Fed(lane)

    def live() -> Any:
        return _said(self, original(self, **fed.given(given)))

    key = [given["copy_stmt"], fed.sum]
    result, error = await call_async(lane, kind, key, live, _copy_outcome)
    if error is not None:
        raise error
    return result


async def _copied_out(self: Any, lane: Any, kind: str, original: Any, given: Any) -> Any:
    sink, key = given["sink"], [given["copy_stmt"]]
    broken: list[BaseException] = []

    async def sunk(chunk: Any) -> None:
        before = LANE.get()
        lane.record(kind, key, RETURNED, bytes(chunk), now_ns())
        LANE.set(lane)
        try:
            await sink(chunk)
        except BaseException as error:
            broken.append(error)
            raise
        finally:
            LANE.set(before)

    async def live() -> Any:
        try:
            return await _said(self, original(self, **{**given, "sink": sunk}))
        except BaseException as error:
            if error in broken:
                return None, error  # the application's own, on replay too
            raise

    def outcome(found: Any) -> dict[str, Any]:
        return {"status": ""} if found[1] in broken else _copy_outcome(found)

    result, error = await call_async(lane, kind, key, live, outcome)
    if error is not None:
        raise error
    return result
