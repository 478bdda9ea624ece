"""psycopg's pipelines: which results come back at which call is a matter of time, and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from psycopg import generators

from retrace_core.databases.postgresql.protocol import (
    COMMAND_OK,
    FATAL_ERROR,
    Result,
    followed,
    sent,
)
from retrace_core.databases.postgresql.psycopg_wait import (
    Asked,
    Note,
    Wait,
    all_packed,
    asked_of,
    neutral_answer,
    recorded,
)
from retrace_core.databases.postgresql.statements import NEUTRAL

if TYPE_CHECKING:
    from retrace_core.databases.postgresql.backend import Backend
    from retrace_core.databases.postgresql.psycopg_wait import Steps

__all__ = ["communicate", "fetch_many"]

_PIPELINE, _PIPELINE_FETCH = "psycopg.pipeline", "psycopg.pipeline_fetch"


def communicate(waits: Wait, original: Any, pgconn: Any, commands: Any) -> Steps:
    """Send what is queued, and return what has come back by then."""
    told, queue = waits.told(), waits.queue()
    key, told[:] = [waits.connection.pgconn.db.decode(errors="replace"), *told], []
    if waits.backend is None:
        live = original(pgconn, commands)

        def pack(fetched: Any) -> object:
            kept, failed = [], None
            for results in fetched:
                note = queue.popleft()
                if not note.quiet:
                    kept.append(failed or all_packed(results))
                    failed = None
                elif int(results[0].status) == FATAL_ERROR:
                    failed = all_packed(results)  # on replay it is not prepared
            return kept

        return (yield from recorded(waits, _PIPELINE, key, live, pack))
    value = yield from asked_of(waits, Asked(_PIPELINE, key), None)
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


def fetch_many(waits: Wait, original: Any, pgconn: Any) -> Steps:
    """Return the results of the next command in the queue."""
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
        results = yield from recorded(waits, _PIPELINE_FETCH, None, live, all_packed)
        if results and queue:
            queue.popleft()
        return results
    value = yield from asked_of(waits, Asked(_PIPELINE_FETCH, None), None)
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
        data, backend.state = neutral_answer(note, backend)
        backend.push(data)
    return (yield from generators.fetch_many(pgconn))
