"""psycopg's exchanges with the server: each recorded as raw results, or answered from such.

`Wait` is what the generators below one `Connection.wait` know of it. `HOOKED` maps the names of
psycopg's own generators (`execute`, `fetch`, ...) to what runs in their place while there is one.
"""

from __future__ import annotations

import zlib
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from psycopg import errors, generators, pq

from retrace_core.boundaries._postgresql import (
    CANCELED,
    COMMAND_OK,
    FATAL_ERROR,
    IDLE,
    NEUTRAL,
    SESSION,
    TUPLES_CHUNK,
    TUPLES_OK,
    UNKNOWN,
    Backend,
    Result,
    asked_sql,
    followed,
    message,
    neutral,
    sent,
)
from retrace_core.boundary import spoil
from retrace_core.codec import pack_exception
from retrace_core.native import now_ns
from retrace_core.recording import CANCELLED, RAISED, RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeAlias

    from retrace_core import native

    Steps: TypeAlias = Generator[Any, Any, Any]

__all__ = ["BEGIN", "EXECUTE", "HOOKED", "WAIT", "Asked", "Note", "Wait", "settings"]

BEGIN, EXECUTE, FETCH = "psycopg.begin", "psycopg.execute", "psycopg.fetch"
_PIPELINE, _PIPELINE_FETCH = "psycopg.pipeline", "psycopg.pipeline_fetch"
_READ, _WRITE, _END = "psycopg.copy_read", "psycopg.copy_write", "psycopg.copy_end"

_FIELDS = tuple(int(field) for field in pq.DiagnosticField)
_SESSION = tuple(name.encode() for name in SESSION)
_PARSED, _CLOSED = message(b"1"), message(b"3")

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
            lane.record(kind, key, RETURNED, [value, status, news], start_ns)
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
            lane.record(kind, key, RAISED, kept, start_ns)
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


def _all_packed(results: Any) -> list[Any]:
    return [packed(result) for result in results]


def _recorded(
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
    if lost is not None and _made_here(lost):
        waits.failed(kind, key, errors.error_from_result(lost), start_ns)
    else:
        waits.record(kind, key, pack(outcome), start_ns)
    return outcome


def _made_here(result: Any) -> bool:
    """Return True for an error that libpq made itself: the connection is lost."""
    if int(getattr(result, "status", COMMAND_OK)) != FATAL_ERROR:
        return False
    return result.error_field(pq.DiagnosticField.SQLSTATE) is None


def _asked(waits: Wait, asked: Asked, drain: Callable[[], Steps] | None) -> Steps:
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


# -- statements


def _execute(waits: Wait, original: Any, pgconn: Any) -> Steps:
    try:
        return (yield from _executed(waits, original, pgconn))
    finally:
        if not waits.cancelled:
            waits.note = Note()  # nothing else is sent as this was


def _executed(waits: Wait, original: Any, pgconn: Any) -> Steps:
    note, backend = waits.note, waits.backend
    if backend is None:
        if not note.quiet:
            return (
                yield from _recorded(waits, EXECUTE, waits.key(), original(pgconn), _all_packed)
            )
        return (yield from _quiet(waits, original(pgconn)))
    kept = waits.connection.__dict__.pop("_retrace_prepared", None)
    if note.how == "prepare":
        # What fails here says so here: the message shows a line of the text that was sent.
        kept = yield from _asked(waits, Asked(EXECUTE, waits.key()), lambda: original(pgconn))
        failed = kept is not NEUTRAL and kept[0][0][0] == FATAL_ERROR
        if failed:
            waits.give(sent(Result(*kept[0][0])), kept[1], kept[2])
        else:
            waits.connection._retrace_prepared = kept
            waits.give(_PARSED, backend.state)
        return (yield from original(pgconn))
    if note.quiet:
        if not note.how:  # BEGIN, or DEALLOCATE
            yield from _asked(waits, Asked(BEGIN, None, only_failure=True), None)
        waits.give(*_neutral(note, backend))
        return (yield from original(pgconn))
    if kept is None:
        kept = yield from _asked(waits, Asked(EXECUTE, waits.key()), lambda: original(pgconn))
    if kept is NEUTRAL:
        waits.give(*_neutral(note, backend))
    else:
        results, status, session = kept
        waits.give(b"".join(sent(Result(*result)) for result in results), status, session)
    return (yield from original(pgconn))


def _quiet(waits: Wait, live: Steps) -> Steps:
    start_ns, note = now_ns(), waits.note
    # What was to be prepared is executed on replay: it fails there in the same way.
    kind, key = (EXECUTE, waits.key()) if note.how == "prepare" else (BEGIN, None)
    try:
        results = yield from live
    except BaseException as error:
        waits.failed(kind, key, error, start_ns)
        raise
    if results and int(results[0].status) == FATAL_ERROR:
        if note.how == "prepare" and not _made_here(results[0]):
            waits.record(kind, key, _all_packed(results), start_ns)
        else:
            waits.failed(kind, key, errors.error_from_result(results[0]), start_ns)
    return results


def _neutral(note: Note, backend: Backend) -> tuple[bytes, int]:
    if note.how == "prepare":
        return _PARSED, backend.state
    if note.how == "close":
        return _CLOSED, backend.state
    result, state = neutral(note.text, backend)
    return sent(result), state


def _send(waits: Wait, original: Any, pgconn: Any) -> Steps:
    """A stream's query is sent, or a flush in a pipeline; what comes of it is fetched."""
    if waits.backend is not None:
        return (yield from original(pgconn))
    start_ns = now_ns()
    try:
        return (yield from original(pgconn))
    except BaseException as error:
        waits.failed(FETCH, None, error, start_ns)
        raise


def _fetch(waits: Wait, original: Any, pgconn: Any) -> Steps:
    """One part of a stream: a row, some rows, or its end."""
    if waits.backend is None:
        live = original(pgconn)
        return (yield from _recorded(waits, FETCH, None, live, lambda r: r and packed(r)))
    stream = waits.connection.__dict__.setdefault("_retrace_stream", _Stream())
    value = yield from _asked(waits, Asked(FETCH, None), lambda: original(pgconn))
    if value is NEUTRAL:
        value = [[TUPLES_OK, (), (), b"SELECT 0", None], waits.backend.state, None]
    kept, status, session = value
    if kept is not None:
        result = Result(*kept)
        stream.give(waits, result, status, session)
    return (yield from original(pgconn))


class _Stream:
    """A result that is read part by part.

    libpq hands out a part that is smaller than asked for only when it has seen the end.
    """

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self.first = True
        self.over = False

    def give(self, waits: Wait, result: Result, status: int, session: Any) -> None:
        """Send one part of it."""
        if result.status == TUPLES_OK and self.over:
            return
        over = result.status == TUPLES_CHUNK and len(result.rows) < self.size
        data, self.first = sent(result, first=self.first), False
        if over:
            state = cast("Backend", waits.backend).state
            data += sent(Result(COMMAND_OK, tag=b"SELECT 0"))
            waits.give(data, state, session)
            self.over = True
        elif result.status in (TUPLES_OK, COMMAND_OK, FATAL_ERROR):
            backend = cast("Backend", waits.backend)
            waits.give(data, followed(backend.state, result), session)
        else:
            waits.give(data, None, session)


def stream_begins(connection: Any, size: int) -> None:
    """Take note of how many rows are read at once from now on."""
    connection._retrace_stream = _Stream(size)


# -- pipelines: what comes back at which call is a matter of time


def _pipeline_communicate(waits: Wait, original: Any, pgconn: Any, commands: Any) -> Steps:
    told, queue = waits.told(), waits.queue()
    key, told[:] = [waits.connection.pgconn.db.decode(errors="replace"), *told], []
    if waits.backend is None:
        live = original(pgconn, commands)

        def pack(fetched: Any) -> object:
            kept, failed = [], None
            for results in fetched:
                note = queue.popleft()
                if not note.quiet:
                    kept.append(failed or _all_packed(results))
                    failed = None
                elif int(results[0].status) == FATAL_ERROR:
                    failed = _all_packed(results)  # on replay it is not prepared
            return kept

        return (yield from _recorded(waits, _PIPELINE, key, live, pack))
    value = yield from _asked(waits, Asked(_PIPELINE, key), None)
    kept, _, session = ([], 0, None) if value is NEUTRAL else value
    waits.give(b"", None, session)
    while commands:
        commands.popleft()()
    yield from generators.send(pgconn)
    fetched = []
    for results in kept:
        while queue and queue[0].quiet:
            fetched.append((yield from _answered_quietly(waits, queue.popleft(), pgconn)))
        if queue:
            queue.popleft()
        fetched.append((yield from _answered(waits, results, pgconn)))
    return fetched


def _fetch_many(waits: Wait, original: Any, pgconn: Any) -> Steps:
    queue = waits.queue()
    if queue and queue[0].quiet:
        note = queue.popleft()
        if waits.backend is not None:
            return (yield from _answered_quietly(waits, note, pgconn))
        results = yield from original(pgconn)
        if not results:
            queue.appendleft(note)
        return results
    if waits.backend is None:
        live = original(pgconn)
        results = yield from _recorded(waits, _PIPELINE_FETCH, None, live, _all_packed)
        if results and queue:
            queue.popleft()
        return results
    value = yield from _asked(waits, Asked(_PIPELINE_FETCH, None), None)
    if value is NEUTRAL:
        value = [[[COMMAND_OK, (), (), b"", None]], 0, None]
    kept, _, session = value
    waits.give(b"", None, session)
    if not kept:
        return []
    if queue:
        queue.popleft()
    return (yield from _answered(waits, kept, pgconn))


def _answered(waits: Wait, kept: Any, pgconn: Any) -> Steps:
    backend = cast("Backend", waits.backend)
    results = [Result(*result) for result in kept]
    for result in results:
        backend.state = followed(backend.state, result)
    backend.push(b"".join(map(sent, results)))
    return (yield from generators.fetch_many(pgconn))


def _answered_quietly(waits: Wait, note: Note, pgconn: Any) -> Steps:
    backend = cast("Backend", waits.backend)
    if note.how == "sync":
        backend.push(backend.settle(backend.state))
    else:
        data, backend.state = _neutral(note, backend)
        backend.push(data)
    return (yield from generators.fetch_many(pgconn))


# -- COPY


def _copy_from(waits: Wait, original: Any, pgconn: Any) -> Steps:
    if waits.backend is None:
        return (yield from _recorded(waits, _READ, None, original(pgconn), _data_or_result))
    value = yield from _asked(waits, Asked(_READ, None), None)
    if value is NEUTRAL:
        value = [[[COMMAND_OK, (), (), b"COPY 0", None]], waits.backend.state, None]
    kept, status, session = value
    if isinstance(kept, bytes):
        return memoryview(kept)
    result = Result(*kept[0])
    done = message(b"c") if result.status == COMMAND_OK else b""
    waits.give(done + sent(result), status, session)
    return (yield from original(pgconn))


def _data_or_result(outcome: Any) -> object:
    return bytes(outcome) if isinstance(outcome, memoryview) else [packed(outcome)]


def _copy_to(waits: Wait, original: Any, pgconn: Any, buffer: Any, *args: Any, **kw: Any) -> Steps:
    key = [len(buffer), zlib.crc32(buffer)]
    if waits.backend is None:
        live = original(pgconn, buffer, *args, **kw)
        return (yield from _recorded(waits, _WRITE, key, live, lambda _: None))
    yield from _asked(waits, Asked(_WRITE, key), None)
    return None


def _copy_end(waits: Wait, original: Any, pgconn: Any, error: Any) -> Steps:
    key = error is not None
    if waits.backend is None:
        live = original(pgconn, error)
        return (yield from _recorded(waits, _END, key, live, lambda r: [packed(r)]))
    value = yield from _asked(waits, Asked(_END, key), None)
    if value is NEUTRAL:
        value = [[[COMMAND_OK, (), (), b"COPY 0", None]], waits.backend.state, None]
    (kept,), status, session = value
    waits.give(sent(Result(*kept)), status, session)
    return (yield from original(pgconn, error))


HOOKED: dict[str, Callable[..., Steps]] = {
    "execute": _execute,
    "send": _send,
    "fetch": _fetch,
    "fetch_many": _fetch_many,
    "pipeline_communicate": _pipeline_communicate,
    "copy_from": _copy_from,
    "copy_to": _copy_to,
    "copy_end": _copy_end,
}
