"""Tally: how often each decider gave which verdict, in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrace_mw.decision import Decision

__all__ = ["decided", "note"]

_MOST_NAMES = 200
"""A decider that makes up a new name for every request must not fill the memory."""

_tally: dict[tuple[str, str], int] = {}


def note(decision: Decision) -> None:
    """Take note of a decision.

    Every request pays for it, so there is no lock: adding to an entry that is there runs to
    its end before CPython switches threads; the first of a kind may be lost in a race.
    """
    kind = (decision.decider, decision.verdict)
    try:
        _tally[kind] += 1
    except KeyError:
        if len(_tally) >= _MOST_NAMES:
            kind = ("other", decision.verdict)
        _tally[kind] = _tally.get(kind, 0) + 1


def decided() -> dict[tuple[str, str], int]:
    """Return (decider, verdict) -> how many requests."""
    return dict(_tally)


os.register_at_fork(after_in_child=_tally.clear)
