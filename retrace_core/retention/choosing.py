"""Choosing: which recordings go, by a policy, and why each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from retrace_core.setting_rows.amount import span_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_core.catalog import Entry
    from retrace_core.retention.policy import Policy

__all__ = ["Condemned", "choose"]


@dataclass(slots=True)
class Condemned:
    """One recording that goes."""

    path: str
    size_bytes: int
    modified_ns: int
    boot: str
    rule: str
    """"age", "failures_age", "tag", "per_route", "failures_per_route", "bytes", "erase"."""
    reason: str
    """In words."""


@dataclass(slots=True)
class _Candidate:
    path: str
    size_bytes: int
    modified_ns: int
    boot: str
    group: tuple[str, str, str]
    rank: int
    """Of those that must make room the lowest goes first."""


_PLAIN, _FAILED, _TAGGED = 0, 1, 2


def choose(
    entries: Iterable[Entry],
    policy: Policy,
    *,
    now_ns: int,
    is_kept: Callable[[str], bool],
) -> list[Condemned]:
    """Return the recordings that go, the oldest first.

    What can't be read may be anything: it is kept as long as the longest of the ages says, and is
    counted with no route.

    Args:
        entries: all recordings of the store.
        policy: what is kept.
        now_ns: the time, in Unix nanoseconds.
        is_kept: says of a path whether it is marked; then it never goes, and yet is counted.
    """
    gone: list[Condemned] = []
    left: list[_Candidate] = []
    for entry in entries:
        candidate = _candidate(entry, policy)
        if is_kept(entry.path):
            candidate.rank = -1
        elif found := _too_old(entry, policy, now_ns):
            gone.append(_condemned(candidate, *found))
            continue
        left.append(candidate)
    left.sort(key=attrgetter("modified_ns"), reverse=True)
    left = _beyond_count(left, policy, gone)
    _beyond_size(left, policy, gone)
    gone.sort(key=attrgetter("modified_ns"))
    return gone


def _candidate(entry: Entry, policy: Policy) -> _Candidate:
    rank = _FAILED if entry.failed or entry.unreadable else _PLAIN
    if policy.rules_of(entry.tags):
        rank = _TAGGED
    return _Candidate(
        entry.path,
        entry.size_bytes,
        entry.modified_ns,
        entry.boot,
        ("", "", entry.path) if entry.unreadable else (entry.service, entry.method, entry.route),
        rank,
    )


def _too_old(entry: Entry, policy: Policy, now_ns: int) -> tuple[str, str] | None:
    if entry.unreadable:
        age_ns, rule = policy.longest_ns, "age"
    else:
        age_ns = policy.age_of(entry.tags, failed=entry.failed)
        rule = "failures_age" if entry.failed and policy.failures_age_ns else "age"
        if policy.rules_of(entry.tags):
            rule = "tag"
    if not age_ns or now_ns - entry.modified_ns <= age_ns:
        return None
    return rule, f"older than {span_words(age_ns)}"


def _beyond_count(
    newest_first: list[_Candidate], policy: Policy, gone: list[Condemned]
) -> list[_Candidate]:
    limits = {
        _PLAIN: (policy.per_route, "per_route"),
        _FAILED: (policy.failures_per_route, "failures_per_route"),
    }
    counts: Counter[tuple[int, tuple[str, str, str]]] = Counter()
    left: list[_Candidate] = []
    for one in newest_first:
        most, rule = limits.get(one.rank, (0, ""))
        if most:
            counts[one.rank, one.group] += 1
            if counts[one.rank, one.group] > most:
                gone.append(_condemned(one, rule, f"beyond the newest {most} of its route"))
                continue
        left.append(one)
    return left


def _beyond_size(left: list[_Candidate], policy: Policy, gone: list[Condemned]) -> None:
    total = sum(one.size_bytes for one in left)
    if not policy.bytes or total <= policy.bytes:
        return
    left.sort(key=lambda one: (one.rank, one.modified_ns))
    for one in left:
        if total <= policy.bytes:
            return
        if one.rank >= 0:
            total -= one.size_bytes
            gone.append(_condemned(one, "bytes", f"all together exceed {policy.bytes} bytes"))


def _condemned(one: _Candidate, rule: str, reason: str) -> Condemned:
    return Condemned(one.path, one.size_bytes, one.modified_ns, one.boot, rule, reason)
