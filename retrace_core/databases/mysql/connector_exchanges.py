"""Connector exchanges: what MySQL Connector/Python asks of a server, in Python, and what comes.

A method of its connections that asks, or reads on, is an event, whose outcome are the packets
that come meanwhile. On replay the method runs on those packets. So it is with a blocking
connection and with one on asyncio, whose methods have the same names.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from mysql.connector.errors import Error

from retrace_core.boundary import call, call_async, mask
from retrace_core.databases.mysql.connector_sockets import READ, Inbox, Stub, stub_of
from retrace_core.databases.mysql.question import NEXT, question_of
from retrace_core.lane_hook import lane_hook
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = [
    "asking",
    "asking_async",
    "command",
    "executed",
    "further",
    "loading",
    "loading_async",
    "noting_statement",
    "noting_statement_async",
    "prepared",
    "queried",
    "statistics",
]

_QUERY, _STATISTICS, _PREPARE, _EXECUTE = 0x03, 0x09, 0x16, 0x17
_ASK = "mysqlconnector.ask"
_STATEMENTS = "_retrace_statements"


def queried(connection: Any, query: Any, *_: Any, **__: Any) -> list[Any]:
    """Return what `cmd_query` asks: the statement, with attributes where it has some."""
    found = question_of(_QUERY, query)
    attributes = getattr(connection, "_query_attrs", None)
    return [*found, list(attributes.items())] if attributes else found


def prepared(_: Any, statement: Any, **__: Any) -> list[Any]:
    """Return what `cmd_stmt_prepare` asks: the statement, with no parameters yet."""
    return [*question_of(_PREPARE, statement), []]


def executed(connection: Any, statement_id: Any, data: Any = (), *_: Any, **__: Any) -> list[Any]:
    """Return what `cmd_stmt_execute` asks: the statement, by its text, and the parameters."""
    text = connection.__dict__.get(_STATEMENTS, {}).get(statement_id, "")
    return [_EXECUTE, text, ["<file>" if hasattr(one, "read") else one for one in data]]


def command(_: Any, number: int, argument: Any = None, *__: Any, **___: Any) -> list[Any]:
    """Return what `_send_cmd` asks."""
    return question_of(number, argument or b"")


def statistics(*_: Any, **__: Any) -> list[Any]:
    """Return what `cmd_statistics` asks."""
    return [_STATISTICS, ""]


def further(*_: Any, **__: Any) -> str:
    """Return the key of reading on."""
    return NEXT


def asking(question: Callable[..., object]) -> Callable[[Any], Any]:
    """Return the factory of a hook for a method that asks and reads, or only reads.

    Args:
        question: gets the method's arguments, and returns the key.
    """
    kind = READ if question is further else _ASK

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None or self._socket is None:
                return original(self, *args, **kwargs)
            stub, key = stub_of(self, lane, kind), question(self, *args, **kwargs)
            live = functools.partial(original, self, *args, **kwargs)
            if stub is None:
                inbox = Inbox(self)
                exchange = functools.partial(_exchange, inbox, live)
                result, error = call(lane, kind, key, exchange, inbox.said)
                if error is not None:
                    raise error
                return result
            try:
                stub.feed(call(lane, kind, key, bytes))
            except Error as failure:
                stub.feed(b"", failure)
            with mask():
                return live()

        return lane_hook(original, asked)

    return factory


def asking_async(question: Callable[..., object]) -> Callable[[Any], Any]:
    """Return what `asking` does, for a coroutine method."""
    kind = READ if question is further else _ASK

    def factory(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(original)
        async def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None or self._socket is None:
                return await original(self, *args, **kwargs)
            stub, key = stub_of(self, lane, kind), question(self, *args, **kwargs)
            live = functools.partial(original, self, *args, **kwargs)
            if stub is None:
                inbox = Inbox(self)
                exchange = functools.partial(_exchange_async, inbox, live)
                result, error = await call_async(lane, kind, key, exchange, inbox.said)
                if error is not None:
                    raise error
                return result
            try:
                stub.feed(await call_async(lane, kind, key, _unrecorded))
            except Error as failure:
                stub.feed(b"", failure)
            with mask():
                return await live()

        return asked

    return factory


def _exchange(inbox: Inbox, live: Callable[[], Any]) -> tuple[Any, Exception | None]:
    with inbox:
        try:
            return live(), None
        except Exception as error:
            if not inbox.is_answer:
                raise
            return None, error


async def _exchange_async(
    inbox: Inbox, live: Callable[[], Awaitable[Any]]
) -> tuple[Any, Exception | None]:
    with inbox:
        try:
            return await live(), None
        except Exception as error:
            if not inbox.is_answer:
                raise
            return None, error


async def _unrecorded() -> bytes:
    return b""


def noting_statement(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `cmd_stmt_prepare` after which a statement is known by its text.

    Its number differs from run to run.
    """

    @functools.wraps(original)
    def preparing(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(self, statement, *args, **kwargs)
        _note(self, statement, found)
        return found

    return preparing


def noting_statement_async(
    original: Callable[..., Awaitable[Any]],
) -> Callable[..., Awaitable[Any]]:
    """Return what `noting_statement` does, for a coroutine method."""

    @functools.wraps(original)
    async def preparing(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        found = await original(self, statement, *args, **kwargs)
        _note(self, statement, found)
        return found

    return preparing


def loading(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `_handle_load_data_infile` that sends no file on replay: it was accepted."""

    @functools.wraps(original)
    def sending(self: Any, *args: Any, **kwargs: Any) -> Any:
        stub = self._socket
        if isinstance(stub, Stub):
            return self._handle_ok(stub.packet())
        return original(self, *args, **kwargs)

    return sending


def loading_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return what `loading` does, for a coroutine method."""

    @functools.wraps(original)
    async def sending(self: Any, *args: Any, **kwargs: Any) -> Any:
        stub = self._socket
        if isinstance(stub, Stub):
            return self._handle_ok(stub.packet())
        return await original(self, *args, **kwargs)

    return sending


def _note(connection: Any, statement: Any, found: Any) -> None:
    text = question_of(_PREPARE, statement)[1]
    connection.__dict__.setdefault(_STATEMENTS, {})[found["statement_id"]] = text
