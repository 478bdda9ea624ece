"""Decision: whether to record a request, and why; how deciders are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = ["NO", "Decider", "Decision", "Verdict", "all_of", "any_of", "first_of"]

Verdict = Literal["no", "tail", "yes"]
_RANK: dict[str, int] = {"no": 0, "tail": 1, "yes": 2}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decider says of a request."""

    verdict: Verdict
    """ "yes": record; "no": don't; "tail": record provisionally, and decide at the end."""
    reason: str = ""
    """Why, in words; it is kept in the recording."""
    decider: str = ""
    """Who said so."""


Decider = Callable[["RequestView"], Decision]
"""Says whether to record a request. A function, or an object that can be called."""

NO = Decision("no", "no decider said yes", "default")


@dataclass(frozen=True, slots=True)
class _Composition:
    name: str
    deciders: tuple[Decider, ...]

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.deciders))})"


class _AnyOf(_Composition):
    __slots__ = ()

    def __call__(self, request: RequestView) -> Decision:
        best = NO
        for decider in self.deciders:
            decision = decider(request)
            if decision.verdict == "yes":
                return decision
            if _RANK[decision.verdict] > _RANK[best.verdict]:
                best = decision
        return best


class _AllOf(_Composition):
    __slots__ = ()

    def __call__(self, request: RequestView) -> Decision:
        weakest: Decision | None = None
        for decider in self.deciders:
            decision = decider(request)
            if decision.verdict == "no":
                return decision
            if weakest is None or _RANK[decision.verdict] < _RANK[weakest.verdict]:
                weakest = decision
        return weakest or NO


class _FirstOf(_Composition):
    __slots__ = ()

    def __call__(self, request: RequestView) -> Decision:
        for decider in self.deciders:
            decision = decider(request)
            if decision.verdict != "no":
                return decision
        return NO


def any_of(*deciders: Decider) -> Decider:
    """Return a decider that gives the strongest verdict of these; the first "yes" ends it."""
    return _AnyOf("any_of", deciders)


def all_of(*deciders: Decider) -> Decider:
    """Return a decider that gives the weakest verdict of these; the first "no" ends it."""
    return _AllOf("all_of", deciders)


def first_of(*deciders: Decider) -> Decider:
    """Return a decider that gives the first verdict that is not "no"."""
    return _FirstOf("first_of", deciders)
