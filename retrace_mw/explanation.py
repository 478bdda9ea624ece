"""Explanation: which decider said what of a request, and why, with nothing recorded."""

from __future__ import annotations

import asyncio
import inspect
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_mw.decision import Decider, Decision, awaits

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from retrace_mw.request import RequestView

__all__ = ["Explanation", "explain"]

NOT_ASKED = "not asked: what came before it has settled the matter"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one decider said; `str()` of it is a tree of lines."""

    decider: str
    """The decider as code."""
    verdict: str
    """ "yes", "tail", "no", "error", or "" where it was not asked."""
    reason: str
    parts: tuple[Explanation, ...] = ()
    """What the deciders that it is made of said."""

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, indent: int = 0) -> Iterator[str]:
        """Return the tree, one decider a line."""
        said = f"{'  ' * indent}{self.verdict or '-':<5} {self.decider}"
        yield f"{said}: {self.reason}" if self.reason else said
        for part in self.parts:
            yield from part.lines(indent + 1)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "decider": self.decider,
            "verdict": self.verdict,
            "reason": self.reason,
            "parts": [part.as_dict() for part in self.parts],
        }


def explain(decider: Decider, request: RequestView) -> Explanation:
    """Return what a decider says of a request, and what each of its parts does.

    Nothing is recorded, counted or used up: a decider that holds a state offers
    `peek(request)`, which is asked instead. One without `peek` is called.

    Args:
        decider: any, also one that must be awaited.
        request: from the middleware, or made by `make_request`.
    """
    explaining = _explained(decider, request)
    return _run(explaining) if _must_wait(decider) else _run_at_once(explaining)


def not_asked(decider: Decider) -> Explanation:
    """Return the explanation of a decider that another one has made needless."""
    return Explanation(_name(decider), "", NOT_ASKED)


async def _explained(decider: Decider, request: RequestView) -> Explanation:
    own: Any = getattr(decider, "explain", None)
    if own is not None:
        found: Explanation = await _waited(own(request))
        return found
    deciders: Any = getattr(decider, "deciders", None)
    if deciders is not None:
        return await _composed(decider, deciders, request)
    ask: Any = getattr(decider, "peek", decider)
    try:
        decision = await _waited(ask(request))
        verdict, reason = decision.verdict, decision.reason
    except Exception as error:
        return Explanation(
            _name(decider), "error", f"{type(error).__name__}: {error}; counts as no"
        )
    inner: Any = getattr(decider, "decider", None)  # Late
    parts = () if inner is None else (await _explained(inner, request),)
    return Explanation(_name(decider), verdict, reason, parts)


async def _composed(composition: Any, deciders: Any, request: RequestView) -> Explanation:
    parts: list[Explanation] = []
    found: list[Decision] = []
    end: Decision | None = None
    for decider in deciders:
        if end is not None:
            parts.append(not_asked(decider))
            continue
        part = await _explained(decider, request)
        parts.append(part)
        verdict: Any = "no" if part.verdict == "error" else part.verdict
        decision = Decision(verdict, part.reason, part.decider)
        if part.verdict == "error" or decision.verdict in composition._ending:
            end = decision
        elif verdict != "no":
            found.append(decision)
    whole = end or (composition._whole(found) if found else None)
    verdict = "no" if whole is None else whole.verdict
    reason = "no decider said yes" if whole is None else whole.reason
    return Explanation(composition.name, verdict, reason, tuple(parts))


def _name(decider: Decider) -> str:
    if inspect.isfunction(decider) or inspect.ismethod(decider):
        return decider.__qualname__
    return repr(decider)


def _must_wait(decider: Decider) -> bool:
    return awaits(decider) or any(
        _must_wait(one) for one in (getattr(decider, "decider", None),) if one is not None
    )


async def _waited(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


def _run_at_once(explaining: Coroutine[Any, Any, Explanation]) -> Explanation:
    """Run what waits for nothing; it may be inside somebody's event loop."""
    try:
        explaining.send(None)
    except StopIteration as done:
        found: Explanation = done.value
        return found
    explaining.close()
    return Explanation("?", "error", "a decider waits that does not look as if it did")


def _run(explaining: Coroutine[Any, Any, Explanation]) -> Explanation:
    """Run what must be awaited, in an event loop of its own."""
    found: list[Explanation] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(explaining)))
    thread.start()
    thread.join()
    return found[0]
