"""Heard by several: what code is told on behalf of several recordings, it asks for all of them.

A callback that an event loop calls when a socket is readable, say, receives bytes that several
requests wait for: in the lane of one of them. In those of the others it is an event, too.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from retrace_core.boundary import call, record_error, spoil
from retrace_core.native import RECORD, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core import native

__all__ = ["OTHERS", "call_for_all"]

T = TypeVar("T")

OTHERS: ContextVar[Sequence[native.Lane]] = ContextVar("retrace_others", default=())
"""The lanes of the other recordings, while such code runs."""


def call_for_all(lane: native.Lane, kind: str, key: object, live: Callable[[], T]) -> T:
    """Return what `live` returns, as `boundary.call` does; it is recorded for the others, too."""
    others = OTHERS.get()
    if not others:
        return call(lane, kind, key, live)
    start_ns = now_ns()
    try:
        result = call(lane, kind, key, live)
    except BaseException as error:
        for other in others:
            if other.mode == RECORD:
                record_error(other, kind, key, error, start_ns)
        raise
    for other in others:
        if other.mode == RECORD:
            try:
                other.record(kind, key, RETURNED, result, start_ns)
            except Exception as fault:  # noqa: BLE001  # a missing event would replay wrong
                spoil(other, kind, fault)
    return result
