"""FlagDecider: what all deciders by feature flag share, from the request to the decision."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from retrace_mw.decision import Decider, Decision, awaits
from retrace_mw.flag_context import ContextSource, FlagContext, context_of, context_source
from retrace_mw.variation import Variations

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from retrace_mw.request import RequestView

__all__ = ["FlagDecider", "Unanswered", "named_key"]


class Unanswered(Exception):  # noqa: N818  # no error: the default counts
    """Says why a flag has no value.

    Args:
        reason: in one word, counted as "flag.<reason>".
        told: what happened, an exception or words.
    """

    def __init__(self, reason: str, told: object = "") -> None:
        super().__init__(reason, told)
        self.reason = reason
        self.told = told


class FlagDecider:
    """Asks a feature flag, anew for each request; it never fails.

    Whoever extends it says in `evaluate` what the flag's value is.

    Args:
        flag: its key.
        context: whom it is evaluated for: a function of the request, or its form as text.
        default: the value that counts when the flag can't be evaluated.
        tail: the decider that is asked when the flag says "tail".

    Raises:
        ConfigurationError: an argument is wrong.
    """

    __slots__ = ("_given", "_source", "_variations", "flag", "is_async")

    def __init__(
        self, flag: str, *, context: ContextSource | str, default: object, tail: Decider | None
    ) -> None:
        self.flag = flag
        self._source = context_source(context)
        self.is_async = awaits(self._source)
        """True when the answer must be awaited."""
        self._variations = Variations(
            flag, decider=f"{type(self).__name__}({flag!r})", default=default, tail=tail
        )
        self._given = {"context": (self._source, "'trace'"), "default": (default, "'no'")}
        if tail is not None:
            self._given["tail"] = (tail, "None")

    def __repr__(self) -> str:
        options = "".join(
            f", {name}={value!r}"
            for name, (value, unless) in self._given.items()
            if repr(value) != unless
        )
        return f"{type(self).__name__}({self.flag!r}{options})"

    def __call__(self, request: RequestView) -> Decision | Awaitable[Decision]:
        """Return the decision that the flag's value means for this request."""
        if self.is_async:
            return self._decide_async(request)
        stage = "context_failed"
        try:
            context = self._read(self._source(request))
            stage = "evaluation_failed"
            value: object = self.evaluate(request, context)
        except Unanswered as error:
            return self._variations.fallback(request, error.reason, error.told)
        except Exception as error:
            return self._variations.fallback(request, stage, error)
        return self._variations.decide(value, request)

    async def _decide_async(self, request: RequestView) -> Decision:
        stage = "context_failed"
        try:
            answer: Any = self._source(request)
            context = self._read((await answer) if inspect.isawaitable(answer) else answer)
            stage = "evaluation_failed"
            value = await self.evaluate_async(request, context)
        except Unanswered as error:
            return self._variations.fallback(request, error.reason, error.told)
        except Exception as error:
            return self._variations.fallback(request, stage, error)
        return self._variations.decide(value, request)

    def _read(self, answer: object) -> Any:
        """Return what the context source has answered as `evaluate` takes it."""
        return context_of(answer)

    def evaluate(self, request: RequestView, context: Any) -> object:
        """Return the value of the flag.

        Args:
            request: the request.
            context: what `_read` has returned, a `FlagContext` unless it is overridden.

        Raises:
            Unanswered: it has none, and why.
        """
        raise NotImplementedError

    async def evaluate_async(self, request: RequestView, context: Any) -> object:
        """Do what `evaluate` does, where the decider is async."""
        return self.evaluate(request, context)


def named_key(context: FlagContext) -> str:
    """Return the targeting key.

    Raises:
        Unanswered: there is none.
    """
    if not context.key:
        raise Unanswered("no_key", "the context source found no targeting key")
    return context.key
