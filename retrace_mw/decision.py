"""Decision: whether to record a request, and why; how deciders are put together."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = [
    "NO",
    "Decider",
    "Decision",
    "Keep",
    "Verdict",
    "all_of",
    "any_of",
    "awaits",
    "checked_decider",
    "first_of",
    "to_call",
]

Verdict = Literal["no", "tail", "yes"]
_VERDICTS = ("no", "yes", "tail")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decider says of a request.

    Raises:
        ConfigurationError: the verdict is none.
    """

    verdict: Verdict
    """ "yes": record; "no": don't; "tail": record provisionally, and decide at the end."""
    reason: str = ""
    """Why, in words; it is kept in the recording."""
    decider: str = ""
    """Who said so."""
    keep: Keep | None = None
    """Of a "tail": asked at the end whether to keep it, "yes" or "no". Without one, only
    `decide_late` or a trigger of the flight recorder keeps the recording."""
    threshold: str = ""
    """Of a sampler's "yes": the threshold it drew by, as `th` in tracestate."""
    warms: bool = False
    """Of a "no": True where nothing but chance speaks against the request (it was not drawn, or
    did not fail), so that it may be recorded for what it leaves in memory: a warm-up."""

    def __post_init__(self) -> None:
        if self.verdict not in _VERDICTS:
            raise ConfigurationError("verdict", self.verdict, '"yes", "no" or "tail"')


Keep = Callable[["FinishedRequest"], Decision]
"""Says at the end of a request whether to keep what was recorded provisionally."""

Decider = Callable[["RequestView"], Decision | Awaitable[Decision]]
"""Says whether to record a request: a function, sync or async, or an object that can be called."""

NO = Decision("no", "no decider said yes", "default")


def checked_decider(setting: str, decider: Any) -> Decider:
    """Return what was given as a decider, when it can be one.

    Args:
        setting: how the error names it.
        decider: what the user gave.

    Raises:
        ConfigurationError: it can't be called, or is a class and not what the class makes.
    """
    if isinstance(decider, type):
        raise ConfigurationError(setting, decider, f"{decider.__name__}(...), with parentheses")
    if isinstance(decider, str):
        raise ConfigurationError(setting, decider, "a decider; as text it goes into RETRACE_DECIDE")
    if not callable(decider):
        raise ConfigurationError(setting, decider, "a decider: a function of the request")
    return cast("Decider", decider)


def awaits(decider: Decider) -> bool:
    """Return True for a decider whose answer must be awaited."""
    told: object = getattr(decider, "is_async", None)
    if isinstance(told, bool):
        return told
    call = getattr(type(decider), "__call__", None)  # noqa: B004  # the function itself
    return inspect.iscoroutinefunction(decider) or inspect.iscoroutinefunction(call)


def to_call(decider: Decider) -> Decider:
    """Return what to call for a decider: of an object its method, looked up once.

    Every request pays for it: CPython 3.11 calls an object that has `__call__` in 80 ns, and
    its bound method in 30.
    """
    made: Any = decider
    if inspect.isfunction(getattr(type(made), "__call__", None)):  # noqa: B004  # as above
        return cast("Decider", made.__call__)
    return decider


class _Composition:
    """Deciders put together; `_step` says how, once for the sync and the async way."""

    __slots__ = ("_calls", "deciders", "is_async")
    name = ""
    _ending: tuple[Verdict, ...] = ()
    """After which verdicts no further decider can change the outcome."""

    def __init__(self, deciders: tuple[Decider, ...]) -> None:
        if not deciders:
            raise ConfigurationError(self.name, deciders, "at least one decider")
        self.deciders = tuple(checked_decider(self.name, decider) for decider in deciders)
        self.is_async = any(map(awaits, deciders))
        self._calls = tuple(map(to_call, deciders))

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.deciders))})"

    def __call__(self, request: RequestView) -> Any:
        if self.is_async:
            return self._decide_async(request)
        found: list[Decision] | None = None
        ending, none = self._ending, NO
        for call in self._calls:
            decision: Any = call(request)
            verdict = decision.verdict
            if verdict in ending:
                if decision.warms and call is not self._calls[-1]:
                    return NO  # those that were not asked may have more against it than chance
                return decision
            if verdict != "no":
                found = [decision] if found is None else [*found, decision]
            elif decision.warms:
                none = decision
        return none if found is None else self._whole(found)

    async def _decide_async(self, request: RequestView) -> Decision:
        found: list[Decision] = []
        none = NO
        for decider in self.deciders:
            answer = decider(request)
            decision = (await answer) if inspect.isawaitable(answer) else answer
            if decision.verdict in self._ending:
                return NO if decision.warms and decider is not self.deciders[-1] else decision
            if decision.verdict != "no":
                found.append(decision)
            elif decision.warms:
                none = decision
        return self._whole(found) if found else none

    def _whole(self, found: list[Decision]) -> Decision:
        """Return the outcome of the verdicts that were not "no", when none has ended it."""
        raise NotImplementedError


class _AnyOf(_Composition):
    __slots__ = ()
    name = "any_of"
    _ending = ("yes",)

    def _whole(self, found: list[Decision]) -> Decision:
        return found[0] if len(found) == 1 else _tails(found, wanted=1)


class _AllOf(_Composition):
    __slots__ = ()
    name = "all_of"
    _ending = ("no",)

    def _whole(self, found: list[Decision]) -> Decision:
        tails = [decision for decision in found if decision.verdict == "tail"]
        if not tails:
            return found[0]
        return tails[0] if len(tails) == 1 else _tails(tails, wanted=len(tails))


class _FirstOf(_Composition):
    __slots__ = ()
    name = "first_of"
    _ending = ("tail", "yes")

    def _whole(self, found: list[Decision]) -> Decision:
        raise AssertionError("any verdict but no has ended it")


def _tails(tails: list[Decision], *, wanted: int) -> Decision:
    """Return one "tail" of several: kept when `wanted` of them keep it."""

    def keep(finished: FinishedRequest) -> Decision:
        answer, kept = NO, 0
        for tail in tails:
            if tail.keep is None:
                continue
            one = tail.keep(finished)
            if one.verdict == "yes":
                kept += 1
                answer = one if answer.verdict == "no" else answer
                if kept == wanted:
                    return answer
            elif answer.verdict == "no":
                answer = one
        return answer if answer.verdict == "no" else Decision("no", "not all keep it", "all_of")

    names = [tail.decider for tail in tails]
    reason = "; ".join(tail.reason for tail in tails if tail.reason)
    return Decision("tail", reason, ", ".join(names), keep)


def any_of(*deciders: Decider) -> Decider:
    """Return a decider that gives the strongest verdict of these; the first "yes" ends it.

    Of several "tail" verdicts any may keep the recording at the end.

    Raises:
        ConfigurationError: one is no decider, or there are none.
    """
    return cast("Decider", _AnyOf(deciders))


def all_of(*deciders: Decider) -> Decider:
    """Return a decider that gives the weakest verdict of these; the first "no" ends it.

    Of several "tail" verdicts all must keep the recording at the end.

    Raises:
        ConfigurationError: one is no decider, or there are none.
    """
    return cast("Decider", _AllOf(deciders))


def first_of(*deciders: Decider) -> Decider:
    """Return a decider that gives the first verdict that is not "no".

    Raises:
        ConfigurationError: one is no decider, or there are none.
    """
    return cast("Decider", _FirstOf(deciders))
