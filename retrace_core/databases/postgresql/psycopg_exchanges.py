"""psycopg's exchanges with the server: each recorded as raw results, or answered from such.

`HOOKED` maps the names of psycopg's own generators (`execute`, `fetch`, ...) to what runs in
their place below a wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from psycopg import errors

from retrace_core.checksum import checksum_of
from retrace_core.databases.postgresql.protocol import (
    COMMAND_OK,
    FATAL_ERROR,
    TUPLES_CHUNK,
    TUPLES_OK,
    Result,
    followed,
    message,
    sent,
)
from retrace_core.databases.postgresql.psycopg_pipelines import communicate, fetch_many
from retrace_core.databases.postgresql.psycopg_wait import (
    BEGIN,
    EXECUTE,
    PARSED,
    Asked,
    Note,
    Wait,
    all_packed,
    asked_of,
    made_here,
    neutral_answer,
    packed,
    recorded,
)
from retrace_core.databases.postgresql.statements import NEUTRAL
from retrace_core.native import now_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.databases.postgresql.backend import Backend
    from retrace_core.databases.postgresql.psycopg_wait import Steps

__all__ = ["HOOKED", "stream_begins"]

FETCH = "psycopg.fetch"
_READ, _WRITE, _END = "psycopg.copy_read", "psycopg.copy_write", "psycopg.copy_end"


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
            return (yield from recorded(waits, EXECUTE, waits.key(), original(pgconn), all_packed))
        return (yield from _quiet(waits, original(pgconn)))
    kept = waits.connection.__dict__.pop("_retrace_prepared", None)
    if note.how == "prepare":
        # What fails here says so here: the message shows a line of the text that was sent.
        kept = yield from asked_of(waits, Asked(EXECUTE, waits.key()), lambda: original(pgconn))
        failed = kept is not NEUTRAL and kept[0][0][0] == FATAL_ERROR
        if failed:
            waits.give(sent(Result(*kept[0][0])), kept[1], kept[2])
        else:
            waits.connection._retrace_prepared = kept
            waits.give(PARSED, backend.state)
        return (yield from original(pgconn))
    if note.quiet:
        if not note.how:  # BEGIN, or DEALLOCATE
            yield from asked_of(waits, Asked(BEGIN, None, only_failure=True), None)
        waits.give(*neutral_answer(note, backend))
        return (yield from original(pgconn))
    if kept is None:
        kept = yield from asked_of(waits, Asked(EXECUTE, waits.key()), lambda: original(pgconn))
    if kept is NEUTRAL:
        waits.give(*neutral_answer(note, backend))
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
        if note.how == "prepare" and not made_here(results[0]):
            waits.record(kind, key, all_packed(results), start_ns)
        else:
            waits.failed(kind, key, errors.error_from_result(results[0]), start_ns)
    return results


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
        return (yield from recorded(waits, FETCH, None, live, lambda r: r and packed(r)))
    stream = waits.connection.__dict__.setdefault("_retrace_stream", _Stream())
    value = yield from asked_of(waits, Asked(FETCH, None), lambda: original(pgconn))
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


# -- COPY


def _copy_from(waits: Wait, original: Any, pgconn: Any) -> Steps:
    if waits.backend is None:
        return (yield from recorded(waits, _READ, None, original(pgconn), _data_or_result))
    value = yield from asked_of(waits, Asked(_READ, None), None)
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
    key = [len(buffer), checksum_of(buffer)]
    if waits.backend is None:
        live = original(pgconn, buffer, *args, **kw)
        return (yield from recorded(waits, _WRITE, key, live, lambda _: None))
    yield from asked_of(waits, Asked(_WRITE, key), None)
    return None


def _copy_end(waits: Wait, original: Any, pgconn: Any, error: Any) -> Steps:
    key = error is not None
    if waits.backend is None:
        live = original(pgconn, error)
        return (yield from recorded(waits, _END, key, live, lambda r: [packed(r)]))
    value = yield from asked_of(waits, Asked(_END, key), None)
    if value is NEUTRAL:
        value = [[[COMMAND_OK, (), (), b"COPY 0", None]], waits.backend.state, None]
    (kept,), status, session = value
    waits.give(sent(Result(*kept)), status, session)
    return (yield from original(pgconn, error))


HOOKED: dict[str, Callable[..., Steps]] = {
    "execute": _execute,
    "send": _send,
    "fetch": _fetch,
    "fetch_many": fetch_many,
    "pipeline_communicate": communicate,
    "copy_from": _copy_from,
    "copy_to": _copy_to,
    "copy_end": _copy_end,
}
