"""Warm-ups: the first requests of a process, kept in memory until a recording needs them.

What they had left in memory is not in a later request's recording, and where a service is sampled
they are not recorded either. So the middleware records the first request of each kind, whatever it
decided; it is packed and held here, and goes to the boot tape's folder when a recording is kept,
where a replay that diverges alone finds it. A process that keeps nothing writes none.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from retrace_core import failsafe, writer
from retrace_core.forked import after_fork
from retrace_core.recording import DecisionRecord
from retrace_core.stats import count
from retrace_core.trace_file import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.recording import Environment
    from retrace_core.trace_file import Draft

__all__ = ["LIMIT_BYTES", "hold", "save", "save_ahead"]

DECIDER = "warm-up"
LIMIT_BYTES = 8 << 20
"""How much memory those that wait may take."""
_MOST_BYTES = 1 << 20
"""How large one may be."""

_lock = threading.RLock()
_held: list[tuple[bytes, Environment]] = []
_held_bytes = 0


def save(draft: Draft) -> None:
    """Queue a copy of a recording that is kept as one of its own, too."""
    with failsafe.gate("save a warm-up"):
        if draft.header.boot:
            data, environment = pack(draft), draft.header.environment
            writer.submit(partial(_draft, data, environment), len(data))
            count("warm_ups")


def hold(make: Callable[[], Draft], size_bytes: int) -> Callable[[], Draft]:
    """Keep a recording in memory until another one of its process is kept.

    Nothing is kept where there is no room for it, or no boot tape to keep it beside.

    Args:
        make: gives the recording; can be called once.
        size_bytes: about how large it is; what can't fit is not made.

    Returns:
        What gives the recording, still.
    """
    global _held_bytes
    if size_bytes > _MOST_BYTES or _held_bytes + size_bytes > LIMIT_BYTES:
        return make
    draft = make()
    with failsafe.gate("hold a warm-up"):
        if draft.header.boot:
            data = pack(draft)
            with _lock:
                _held.append((data, draft.header.environment))
                _held_bytes += len(data)
            count("warm_ups")
    return lambda: draft


def save_ahead() -> None:
    """Queue what is held ahead of a recording that is kept."""
    global _held, _held_bytes
    if not _held:
        return
    with failsafe.gate("save warm-ups"):
        with _lock:
            taken, _held, _held_bytes = _held, [], 0
        for data, environment in taken:
            writer.submit(partial(_draft, data, environment), len(data))


def _draft(data: bytes, environment: Environment) -> Draft:
    draft = unpack(data, environment)
    header = draft.header
    reason = f"the first {header.method} {header.route or header.path} of its process"
    draft.header = msgspec.structs.replace(
        header,
        folder=header.boot.partition("/")[0],
        decision=DecisionRecord("no", DECIDER, reason),
    )
    return draft


def forget() -> None:
    """Start afresh: after a fork the parent's are the parent's to save."""
    global _lock, _held, _held_bytes
    _lock = threading.RLock()
    _held, _held_bytes = [], 0


after_fork(forget)
