"""Exchanges: what is asked of the server and the bytes that are read, in PyMySQL and aiomysql.

Both have the same methods; one blocks, one awaits.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from pymysql import err

from retrace_core.boundary import call, call_async, mask, record_error
from retrace_core.databases.mysql.question import NEXT, question_of
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.databases.mysql.stub import Answers

__all__ = [
    "answer_from",
    "answers_of",
    "executing",
    "executing_async",
    "noting_bytes",
    "noting_bytes_async",
    "reading",
    "reading_async",
]

_ANSWERS, _ASKED, _INBOX = "_retrace_answers", "_retrace_asked", "_retrace_inbox"


def answer_from(connection: Any, answers: Answers) -> None:
    """Make a connection a stub."""
    answers.connection = connection
    connection.__dict__[_ANSWERS] = answers


def answers_of(connection: Any) -> Answers | None:
    """Return where a connection's answers come from, None when it is a live one."""
    found: Answers | None = connection.__dict__.get(_ANSWERS)
    return found


def _is_open(connection: Any) -> bool:
    side = getattr(connection, "_sock", None) or getattr(connection, "_writer", None)
    return side is not None


def _lose(connection: Any) -> None:
    """Close a stub, as the live connection was."""
    close = getattr(connection, "_force_close", None) or connection.close
    with mask():
        close()


def _ask(connection: Any, question: list[Any]) -> None:
    answers = answers_of(connection)
    connection.__dict__[_ASKED] = question
    if answers is not None:
        answers.asked = (question[0], question[1])
        answers.feed(b"")


def executing(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for `_execute_command`, which sends."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def sending(self: Any, command: int, sql: Any) -> Any:
            lane: Any = current()
            if lane is None and answers_of(self) is None:
                return original(self, command, sql)
            question, start_ns = question_of(command, sql), now_ns()
            _refuse(self, lane, kind)
            if lane is not None and lane.mode == REPLAY and lane.scope.failure_comes(lane, kind):
                _lose(self)
                lane.scope.answer(lane, kind, question)
            try:
                original(self, command, sql)
            except Exception as error:
                if lane is not None and lane.mode != REPLAY and not _is_open(self):
                    record_error(lane, kind, question, error, start_ns)
                raise
            _ask(self, question)
            return None

        return sending

    return factory


def executing_async(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for aiomysql's `_execute_command`."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        async def sending(self: Any, command: int, sql: Any) -> Any:
            lane: Any = current()
            if lane is None and answers_of(self) is None:
                return await original(self, command, sql)
            question, start_ns = question_of(command, sql), now_ns()
            _refuse(self, lane, kind)
            if lane is not None and lane.mode == REPLAY and lane.scope.failure_comes(lane, kind):
                _lose(self)
                await lane.scope.answer_async(lane, kind, question)
            try:
                await original(self, command, sql)
            except Exception as error:
                if lane is not None and lane.mode != REPLAY and not _is_open(self):
                    record_error(lane, kind, question, error, start_ns)
                raise
            _ask(self, question)
            return None

        return sending

    return factory


def _refuse(connection: Any, lane: Any, kind: str) -> None:
    if lane is not None and (lane.mode == REPLAY) != (answers_of(connection) is not None):
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")


def _connection(owner: Any) -> Any:
    """Return the connection of a result that is being read; a connection is its own."""
    return owner if hasattr(owner, "_execute_command") else owner.connection


def reading(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for a method that reads one answer, or a part of one."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        def read(self: Any, *args: Any) -> Any:
            lane, connection = current(), _connection(self)
            if lane is None or connection is None:
                return original(self, *args)
            _refuse(connection, lane, kind)
            key = connection.__dict__.pop(_ASKED, NEXT)
            answers = answers_of(connection)
            if answers is not None:
                try:
                    said = call(lane, kind, key, answers.neutral)
                except err.MySQLError:
                    _lose(connection)
                    raise
                answers.feed(said)
                with mask():
                    return original(self, *args)
            inbox: list[bytes] = []
            connection.__dict__[_INBOX] = inbox

            def live() -> tuple[Any, Exception | None]:
                try:
                    return original(self, *args), None
                except err.MySQLError as error:
                    if not _is_open(connection):
                        raise
                    return None, error
                finally:
                    connection.__dict__.pop(_INBOX, None)

            result, error = call(lane, kind, key, live, lambda _: b"".join(inbox))
            if error is not None:
                raise error
            return result

        return read

    return factory


def reading_async(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for aiomysql's method that reads."""

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        async def read(self: Any, *args: Any) -> Any:
            lane, connection = current(), _connection(self)
            if lane is None or connection is None:
                return await original(self, *args)
            _refuse(connection, lane, kind)
            key = connection.__dict__.pop(_ASKED, NEXT)
            answers = answers_of(connection)
            if answers is not None:

                async def unrecorded() -> bytes:
                    return answers.neutral()

                try:
                    said = await call_async(lane, kind, key, unrecorded)
                except (err.MySQLError, asyncio.CancelledError):
                    _lose(connection)
                    raise
                answers.feed(said)
                with mask():
                    return await original(self, *args)
            inbox: list[bytes] = []
            connection.__dict__[_INBOX] = inbox

            async def live() -> tuple[Any, Exception | None]:
                try:
                    return await original(self, *args), None
                except err.MySQLError as error:
                    if not _is_open(connection):
                        raise
                    return None, error
                finally:
                    connection.__dict__.pop(_INBOX, None)

            result, error = await call_async(lane, kind, key, live, lambda _: b"".join(inbox))
            if error is not None:
                raise error
            return result

        return read

    return factory


def noting_bytes(original: Any) -> Any:
    """Return a `_read_bytes` that keeps what is read while an answer is recorded."""

    @functools.wraps(original)
    def read(self: Any, size: int) -> Any:
        data = original(self, size)
        inbox = self.__dict__.get(_INBOX)
        if inbox is not None:
            inbox.append(data)
        return data

    return read


def noting_bytes_async(original: Any) -> Any:
    """Return aiomysql's `_read_bytes` that keeps what is read while an answer is recorded."""

    @functools.wraps(original)
    async def read(self: Any, size: int) -> Any:
        data = await original(self, size)
        inbox = self.__dict__.get(_INBOX)
        if inbox is not None:
            inbox.append(data)
        return data

    return read
