"""Driving: runs psycopg's generators on a stub connection, their answers from the recording."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any, cast

from psycopg import OperationalError

from retrace_core import errors
from retrace_core.databases.postgresql.psycopg_wait import Asked
from retrace_core.databases.postgresql.statements import NEUTRAL

if TYPE_CHECKING:
    from retrace_core.databases.postgresql.psycopg_wait import Wait
    from retrace_core.lanes import Lane

__all__ = ["played", "played_async"]

_ANSWER_WITHIN_S = 30.0
_NOT_ON_TAPE: Any = getattr(errors, "NotOnTape", ())


def played(waits: Wait, gen: Any) -> Any:
    """Drive a generator on a stub connection; what it asks for is in the recording."""
    step: Any = gen.send
    given: Any = None
    while True:
        try:
            wanted = step(given)
        except StopIteration as end:
            return end.value
        step = gen.send
        try:
            if not isinstance(wanted, Asked):
                given = _ready(waits, wanted)
            elif _unrecorded(waits, wanted):
                given = NEUTRAL
            else:
                lane = cast("Lane", waits.lane)
                given = lane.scope.answer(lane, wanted.kind, wanted.key)
        except _NOT_ON_TAPE:
            given = NEUTRAL
        except BaseException as error:  # noqa: BLE001  # it belongs to who asked
            step, given = gen.throw, error


async def played_async(waits: Wait, gen: Any) -> Any:
    """Do what `played` does, without blocking the event loop while it is not its turn."""
    step: Any = gen.send
    given: Any = None
    while True:
        try:
            wanted = step(given)
        except StopIteration as end:
            return end.value
        step = gen.send
        try:
            if not isinstance(wanted, Asked):
                given = _ready(waits, wanted)
            elif _unrecorded(waits, wanted):
                given = NEUTRAL
            else:
                lane = cast("Lane", waits.lane)
                given = await lane.scope.answer_async(lane, wanted.kind, wanted.key)
        except _NOT_ON_TAPE:
            given = NEUTRAL
        except BaseException as error:  # noqa: BLE001
            step, given = gen.throw, error


def _unrecorded(waits: Wait, wanted: Asked) -> bool:
    lane = cast("Lane | None", waits.lane)
    if lane is None:
        return True
    return wanted.only_failure and not lane.scope.failure_comes(lane, wanted.kind)


def _ready(waits: Wait, wanted: Any) -> int:
    """Wait for the backend, a thread of this process that answers at once."""
    wants = int(wanted)  # 1: to read, 2: to write
    fd = waits.connection.pgconn.socket
    readable, writable, _ = select.select(
        [fd] if wants & 1 else [], [fd] if wants & 2 else [], [], _ANSWER_WITHIN_S
    )
    if not readable and not writable:
        raise OperationalError("nothing more was recorded of what the server sent")
    return (1 if readable else 0) | (2 if writable else 0)
