"""psycopg2's switch: a call that asks the server is recorded, or answered by the backend."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

import psycopg2

from retrace_core import errors
from retrace_core.boundary import mask, record_error, spoil
from retrace_core.databases.postgresql.backend import DEFAULTS, Backend
from retrace_core.databases.postgresql.protocol import (
    COMMAND_OK,
    COPY_IN,
    COPY_OUT,
    FATAL_ERROR,
    IDLE,
    UNKNOWN,
    Result,
    followed,
    message,
    sent,
)
from retrace_core.databases.postgresql.psycopg2_results import error_fields, session_of
from retrace_core.databases.postgresql.statements import neutral
from retrace_core.errors import LiveCallRefused
from retrace_core.native import RECORD, REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core import native
    from retrace_core.lanes import Lane

__all__ = ["Answers", "crossing", "settings"]

_NOT_ON_TAPE: Any = getattr(errors, "NotOnTape", ())
settings: dict[str, Any] = {}
"""The settings of each database, as replay learned them."""


class Answers(Backend):
    """A backend that is told what the next statement is to be answered with."""

    def __init__(self, session: Any = DEFAULTS) -> None:
        self._next: tuple[Result, int, bytes] | None = None
        self._opening = False
        super().__init__(session, self._answer)

    def expect(self, result: Result, state: int, data: bytes = b"", *, opening: bool) -> None:
        """Set the answer to the next statement, and to those of the same call after it.

        Args:
            result: the recorded result.
            state: the transaction's state after it.
            data: what COPY reads.
            opening: True when the statement itself is a BEGIN.
        """
        self._next, self._opening = (result, state, data), opening

    def done(self) -> None:
        """Forget what was expected."""
        self._next = None

    def _answer(self, text: bytes) -> bytes:
        expected = self._next
        if expected is None or (text[:5].upper() == b"BEGIN" and not self._opening):
            if text in (b"c", b"f"):
                text = b"COPY"
            result, state = neutral(text, self)
            return sent(result) + self.settle(state)
        result, state, data = expected
        if text == b"f" and result.status != FATAL_ERROR:
            return sent(result) + self.settle(state)
        if result.status == COPY_IN:  # the rows come next; what they led to comes after
            self._next = (Result(COMMAND_OK, tag=result.tag), state, b"")
            return sent(result._replace(columns=((b"", 0, 0, 0, 0, 0, 0),)))
        if result.status == COPY_OUT:
            ending = sent(Result(COMMAND_OK, tag=result.tag)) + self.settle(state)
            head = sent(result._replace(columns=((b"", 0, 0, 0, 0, 0, 0),)))
            return head + (message(b"d", data) if data else b"") + message(b"c") + ending
        # Each further statement of `executemany` changed nothing more: its counts are summed up.
        if result.status == COMMAND_OK:
            words = result.tag.split(b" ")
            again = b" ".join([*words[:-1], b"0"]) if words[-1].isdigit() else result.tag
            self._next = (Result(COMMAND_OK, tag=again), state, b"")
        return sent(result) + self.settle(state)


def crossing(
    connection: Any,
    kind: str,
    key: Callable[[], object],
    live: Callable[[], Any],
    outcome: Callable[[], list[Any]],
    data: Callable[[], bytes] = bytes,
) -> Any:
    """Run one call that asks the server, recorded; or on what was recorded.

    Args:
        connection: the connection that it goes over.
        kind: the event's kind.
        key: gives what is asked; called before the call, only inside a scope.
        live: psycopg2's own method; on replay it talks to the backend.
        outcome: gives the result after the call, as the fields of a `Result`.
        data: gives what COPY has read.
    """
    lane = current()
    backend: Answers | None = connection._retrace_backend
    if lane is None or lane.mode not in (RECORD, REPLAY):
        return live()
    if backend is not None and lane.mode == REPLAY:
        return _answered(connection, cast("Lane", lane), backend, kind, key(), live)
    if lane.mode == REPLAY:
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")
    return _recorded(connection, lane, kind, key(), live, outcome, data)


def _recorded(
    connection: Any,
    lane: native.Lane,
    kind: str,
    key: object,
    live: Callable[[], Any],
    outcome: Callable[[], list[Any]],
    data: Callable[[], bytes],
) -> Any:
    before = connection.closed or connection.get_transaction_status()
    start_ns = now_ns()
    try:
        with mask():
            returned = live()
    except psycopg2.Error as error:
        if error.pgcode is None:
            record_error(lane, kind, key, error, start_ns)
        else:
            _note(
                connection,
                lane,
                kind,
                key,
                functools.partial(error_fields, error),
                b"",
                before,
                start_ns,
            )
        raise
    except BaseException as error:
        record_error(lane, kind, key, error, start_ns)
        raise
    _note(connection, lane, kind, key, outcome, data(), before, start_ns)
    return returned


def _note(
    connection: Any,
    lane: native.Lane,
    kind: str,
    key: object,
    outcome: Callable[[], list[Any]],
    data: bytes,
    before: int,
    start_ns: int,
) -> None:
    try:
        news, status = None, UNKNOWN
        if not connection.closed:
            status = connection.get_transaction_status()
            session = session_of(connection)
            if before == IDLE or connection._retrace_shown != (lane.state, session):
                connection._retrace_shown = (lane.state, session)
                news = session
        lane.record(kind, key, RETURNED, [outcome(), status, news, data], start_ns)
    except Exception as fault:  # noqa: BLE001  # whatever it is, the request goes on
        spoil(lane, kind, fault)


def _answered(
    connection: Any,
    lane: Lane,
    backend: Answers,
    kind: str,
    key: Any,
    live: Callable[[], Any],
) -> Any:
    try:
        value: Any = lane.scope.answer(lane, kind, key)
    except _NOT_ON_TAPE:
        with mask():
            return live()
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        _lose(backend, live)
        raise
    kept, status, session, data = value
    if session is not None:
        settings[connection.info.dbname] = session
        backend.push(backend.settings(session))
    result = Result(*kept)
    state = status if status != UNKNOWN else followed(backend.state, result)
    opening = isinstance(key, list) and str(key[-1])[:5].upper() == "BEGIN"
    backend.expect(result, state, data, opening=opening)
    try:
        with mask():
            return live()
    finally:
        backend.done()
        if status == UNKNOWN:
            backend.close()


def _lose(backend: Answers, live: Callable[[], Any]) -> None:
    """Have psycopg2 find out that the server is gone, as it did when it was recorded."""
    backend.close()
    try:
        with mask():
            live()
    except psycopg2.Error:
        return
