"""Tally: how often each decider gave which verdict, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.forked import after_fork

if TYPE_CHECKING:
    from retrace_mw.decision import Decision

__all__ = ["decided", "note"]

_MOST_NAMES = 200
"""A decider that makes up a new name for every request must not fill the memory."""

_tally: dict[str, dict[str, int]] = {}
"""Verdict -> decider -> how many; two look-ups by a text cost half of one by a pair."""


def note(decision: Decision) -> None:
    """Take note of a decision.

    Every request pays for it, so there is no lock: adding to an entry that is there runs to
    its end before CPython switches threads; the first of a kind may be lost in a race.
    """
    try:
        _tally[decision.verdict][decision.decider] += 1
    except KeyError:
        known = sum(map(len, _tally.values()))
        name = decision.decider if known < _MOST_NAMES else "other"
        by_name = _tally.setdefault(decision.verdict, {})
        by_name[name] = by_name.get(name, 0) + 1


def decided() -> dict[tuple[str, str], int]:
    """Return (decider, verdict) -> how many requests."""
    return {
        (name, verdict): times
        for verdict, by_name in _tally.copy().items()
        for name, times in by_name.copy().items()
    }


after_fork(_tally.clear)
