"""Wait: what the generators below one `Connection.wait` of psycopg's know of it, and record.

A generator asks whoever drives it for a recorded answer by yielding an `Asked`.
"""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from psycopg import errors, pq

from retrace_core.boundary import spoil
from retrace_core.codec import pack_exception
from retrace_core.concurrency.loop_steps import answered
from retrace_core.databases.postgresql.backend import SESSION, Backend
from retrace_core.databases.postgresql.protocol import (
    CANCELED,
    COMMAND_OK,
    FATAL_ERROR,
    IDLE,
    UNKNOWN,
    followed,
    message,
    sent,
)
from retrace_core.databases.postgresql.statements import asked_sql, neutral
from retrace_core.native import now_ns
from retrace_core.recording import CANCELLED, RAISED, RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeAlias

    from retrace_core import native
    from retrace_core.lanes import Lane

    Steps: TypeAlias = Generator[Any, Any, Any]

__all__ = [
    "BEGIN",
    "EXECUTE",
    "PARSED",
    "WAIT",
    "Asked",
    "Note",
    "Wait",
    "all_packed",
    "asked_of",
    "made_here",
    "neutral_answer",
    "packed",
    "recorded",
    "settings",
]

BEGIN, EXECUTE = "psycopg.begin", "psycopg.execute"

_FIELDS = tuple(int(field) for field in pq.DiagnosticField)
_SESSION = tuple(name.encode() for name in SESSION)
PARSED, _CLOSED = message(b"1"), message(b"3")

settings: dict[bytes, Any] = {}
"""The settings of each database, as replay learned them."""


class Asked(NamedTuple):
    """What a generator hands to whoever drives it on replay: it wants a recorded answer."""

    kind: str
    key: object
    only_failure: bool = False


class Note(NamedTuple):
    """What is sent next."""

    text: bytes = b""
    params: Any = None
    how: str = ""
    """"prepare", "close", "sync", or "" for a statement."""
    quiet: bool = False
    """True for what depends on how warm a connection is: only its failure is an event."""


class Wait:
    """What the generators below one `Connection.wait` know of it.

    Args:
        connection: whose it is.
        lane: where its events go or come from; None for what is no request's.
        backend: the server's end, on replay.
    """

    __slots__ = ("backend", "before", "cancelled", "connection", "lane", "note", "quiet")

    def __init__(self, connection: Any, lane: native.Lane | None, backend: Backend | None) -> None:
        self.connection = connection
        self.lane = lane
        self.backend = backend
        self.before = int(connection.pgconn.transaction_status)
        self.cancelled = False
        self.note = Note()
        self.quiet = 0

    def say(self, text: bytes, params: Any = None, how: str = "") -> None:
        """Note what is sent next; in a pipeline also what is answered later."""
        quiet = self.quiet > 0 or how in ("prepare", "close", "sync")
        self.note = Note(text, params, how, quiet)
        if self.connection._pipeline is not None:
            self.queue().append(self.note)
            if not quiet:
                self.told().append(self.key())

    def key(self) -> object:
        """Return what is asked, as the key of its event."""
        text, params, _, _ = self.note
        key = [self.connection.pgconn.db.decode(errors="replace"), asked_sql(text)]
        if not params:
            return key
        return [*key, [None if value is None else bytes(value) for value in params]]

    def queue(self) -> deque[Note]:
        """Return what the server was asked in this pipeline and has not answered yet."""
        return self.connection._pipeline.__dict__.setdefault("_retrace_queue", deque())  # type: ignore[no-any-return]

    def told(self) -> list[object]:
        """Return the keys of what is put into this pipeline and has not been sent yet."""
        return self.connection._pipeline.__dict__.setdefault("_retrace_told", [])  # type: ignore[no-any-return]

    # -- while recording

    def record(self, kind: str, key: object, value: object, start_ns: int) -> None:
        """Append the event of an exchange that has ended."""
        lane = cast("native.Lane", self.lane)
        if self.cancelled:
            return
        try:
            news = self._news(lane.state)
            status = int(self.connection.pgconn.transaction_status)
            seq = lane.record(kind, key, RETURNED, [value, status, news], start_ns)
            answered(cast("Lane", lane), seq)
        except Exception as fault:  # noqa: BLE001  # whatever it is, the request goes on
            spoil(lane, kind, fault)

    def failed(self, kind: str, key: object, error: BaseException, start_ns: int) -> None:
        """Append the event of an exchange that raised: the connection is lost, mostly."""
        lane = cast("native.Lane", self.lane)
        if self.cancelled or isinstance(error, GeneratorExit):
            return
        try:
            kept = pack_exception(error)
            for name, value in vars(error).items():
                if name == "_info" and value is not None:
                    kept[2][name] = packed(value)[4]
                elif name == "_pgconn":
                    kept[2][name] = None
            answered(cast("Lane", lane), lane.record(kind, key, RAISED, kept, start_ns))
        except Exception as fault:  # noqa: BLE001
            spoil(lane, kind, fault)

    def stopped(self, start_ns: int) -> None:
        """Append the event of an exchange that was cancelled in flight."""
        lane = cast("native.Lane", self.lane)
        try:
            kind, key = (BEGIN, None) if self.note.quiet else (EXECUTE, self.key())
            lane.record(kind, key, CANCELLED, None, start_ns)
        except Exception as fault:  # noqa: BLE001
            spoil(lane, EXECUTE, fault)

    def _news(self, state: native.ScopeState) -> Any:
        """Return the server's settings, or None where the recording has them already.

        A scope learns them with its first statement on a connection, and with each
        transaction: on replay that may begin on another connection.
        """
        pgconn, kept = self.connection.pgconn, self.connection.__dict__
        session = [
            value.decode() if (value := pgconn.parameter_status(name)) is not None else None
            for name in _SESSION
        ]
        if self.before != IDLE and kept.get("_retrace_shown") == (state, session):
            return None
        kept["_retrace_shown"] = (state, session)
        return session

    # -- on replay

    def give(self, data: bytes, state: int | None, session: Any = None) -> None:
        """Send the client what it is to read next; with a state, that is the exchange's end."""
        backend = cast("Backend", self.backend)
        if session is not None:
            settings[self.connection.pgconn.db] = session
        backend.push(backend.settings(session) + data + backend.settle(state))
        if state == UNKNOWN:
            backend.close()


WAIT: ContextVar[Wait | None] = ContextVar("retrace_psycopg_wait", default=None)


def packed(result: Any) -> list[Any]:
    """Return a PGresult as the fields of a `Result`."""
    status, width, get = int(result.status), result.nfields, result.get_value
    columns = [
        (
            result.fname(n),
            result.ftable(n),
            result.ftablecol(n),
            result.ftype(n),
            result.fsize(n),
            result.fmod(n),
            result.fformat(n),
        )
        for n in range(width)
    ]
    rows = [[get(at, n) for n in range(width)] for at in range(result.ntuples)]
    tag = result.command_status or b""
    if status != FATAL_ERROR:
        return [status, columns, rows, tag, None]
    fields = {code: text for code in _FIELDS if (text := result.error_field(code)) is not None}
    return [status, columns, rows, tag, fields]


def all_packed(results: Any) -> list[Any]:
    """Return PGresults as the fields of their `Result`s."""
    return [packed(result) for result in results]


def recorded(
    waits: Wait, kind: str, key: object, live: Steps, pack: Callable[[Any], object]
) -> Steps:
    """Run an exchange, and append its event."""
    start_ns = now_ns()
    try:
        outcome = yield from live
    except errors.Error as error:
        if error.pgresult is None:
            waits.failed(kind, key, error, start_ns)
        else:  # the server said so: it can say it again
            waits.record(kind, key, [packed(error.pgresult)], start_ns)
        raise
    except BaseException as error:
        waits.failed(kind, key, error, start_ns)
        raise
    lost = outcome[0] if isinstance(outcome, list) and outcome else None
    if lost is not None and made_here(lost):
        waits.failed(kind, key, errors.error_from_result(lost), start_ns)
    else:
        waits.record(kind, key, pack(outcome), start_ns)
    return outcome


def made_here(result: Any) -> bool:
    """Return True for an error that libpq made itself: the connection is lost."""
    if int(getattr(result, "status", COMMAND_OK)) != FATAL_ERROR:
        return False
    return result.error_field(pq.DiagnosticField.SQLSTATE) is None


def asked_of(waits: Wait, asked: Asked, drain: Callable[[], Steps] | None) -> Steps:
    """Return the recorded outcome; leave the connection behind as it was, when it raises."""
    try:
        return (yield asked)
    except GeneratorExit:
        raise
    except BaseException as error:
        backend, pgconn = cast("Backend", waits.backend), waits.connection.pgconn
        if drain is not None and not isinstance(error, Exception) and _is_cancel(error):
            waits.give(sent(CANCELED), followed(backend.state, CANCELED))
            yield from drain()
        else:
            pgconn.finish()
        raise


def _is_cancel(error: BaseException) -> bool:
    return type(error).__name__ == "CancelledError"


def neutral_answer(note: Note, backend: Backend) -> tuple[bytes, int]:
    """Return (messages, state) for what nothing was recorded of."""
    if note.how == "prepare":
        return PARSED, backend.state
    if note.how == "close":
        return _CLOSED, backend.state
    result, state = neutral(note.text, backend)
    return sent(result), state
