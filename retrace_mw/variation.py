"""Variation: what the value of a feature flag means for recording, whoever evaluates it.

    True, "full", "on", "yes"      record
    False, "off", "no"             don't
    "tail"                         record provisionally, and keep what failed (or was slow)
    0.1                            record this share of the traces
    {"rate": 0.1, "verdict": "tail", "per_s": 5, "slower_than_s": 1.0}
                                   all of these together; verdict is "full" unless it is given

Anything else is unknown: the default decides, and it is counted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_core.stats import count
from retrace_mw.decision import Decider, Decision, Keep, awaits
from retrace_mw.rates import is_drawn, threshold_of
from retrace_mw.token_bucket import TokenBucket

if TYPE_CHECKING:
    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["ALLOWED", "Variations"]

ALLOWED = (
    '"full", "tail", "off", true, false, a rate from 0.0 to 1.0, or a table of'
    " verdict, rate, per_s, slower_than_s"
)

_WORDS = {
    **dict.fromkeys(("full", "on", "yes", "true", "record", "all"), "yes"),
    **dict.fromkeys(("off", "no", "false", "none", "never"), "no"),
    **dict.fromkeys(("tail", "provisional"), "tail"),
}
_KEYS = {"verdict", "rate", "per_s", "slower_than_s"}
_MOST_PLANS = 64

_logger = logging.getLogger("retrace")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One value of a flag, understood."""

    decision: Decision
    missed: Decision
    """The answer for a trace that is not in the share, or over the rate."""
    threshold: int
    """The least draw of 56 bits that is in the share."""
    bucket: TokenBucket | None
    asks_tail: bool
    """True when the "tail" of the user's is asked instead."""


class Variations:
    """What the values of one flag mean.

    Args:
        flag: its key.
        decider: the name of the decider that asks.
        default: the value that counts when the flag can't be evaluated.
        tail: the decider that is asked when the flag says "tail"; default: kept is what
            failed, or was slower than the flag's `slower_than_s`.
        clock: seconds that only grow, for tests.

    Raises:
        ConfigurationError: the default is no value of the table above, or `tail` is async.
    """

    __slots__ = ("_bucket_of", "_clock", "_default", "_flag", "_name", "_plans", "_tail", "_told")

    def __init__(
        self,
        flag: str,
        *,
        decider: str,
        default: object = "no",
        tail: Decider | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not isinstance(flag, str) or not flag:
            raise ConfigurationError("flag", flag, "the key of a feature flag, as text")
        if tail is not None and awaits(tail):
            raise ConfigurationError("tail", tail, "a decider that answers at once")
        self._flag = flag
        self._name = decider
        self._tail = tail
        self._clock = clock
        self._plans: dict[object, _Plan | None] = {}
        self._bucket_of: dict[float, TokenBucket] = {}
        self._told: set[str] = set()
        plan = self._understand(default, f"flag {flag}: the default {default!r} counts")
        if plan is None:
            raise ConfigurationError("default", default, ALLOWED)
        self._default = plan

    def decide(self, value: object, request: RequestView) -> Decision:
        """Return the decision that a value of the flag means; the default for an unknown one."""
        plan = self._plan(value)
        if plan is None:
            return self.fallback(request, "unknown_variation", f"its value is {value!r}"[:200])
        return self._carry_out(plan, request)

    def understands(self, value: object) -> bool:
        """Return whether a value is known."""
        return self._plan(value) is not None

    def fallback(self, request: RequestView, reason: str, told: object = "") -> Decision:
        """Return the default's decision; counted as "flag.<reason>", logged once for each.

        Args:
            request: the request.
            reason: in one word.
            told: what happened, for the log.
        """
        count(f"flag.{reason}")
        if reason not in self._told:
            self._told.add(reason)
            _logger.log(
                # Visitors whom nobody knows are no fault.
                logging.INFO if reason == "no_key" else logging.WARNING,
                "retrace: flag %r: %s (%s); its default decides, further ones are counted only",
                self._flag,
                reason,
                told if isinstance(told, str) else f"{type(told).__name__}: {told}",
            )
        return self._carry_out(self._default, request)

    def _carry_out(self, plan: _Plan, request: RequestView) -> Decision:
        if not is_drawn(request, plan.threshold):
            return plan.missed
        if plan.bucket is not None and not plan.bucket.take():
            count("suppressed.flag_per_s")
            return plan.missed
        if plan.asks_tail and self._tail is not None:
            answer: Any = self._tail(request)
            decision: Decision = answer
            return decision
        return plan.decision

    def _plan(self, value: object) -> _Plan | None:
        # Equal values of several types are told apart: True, 1 and 1.0.
        key = (type(value), repr(value) if isinstance(value, Mapping) else value)
        try:
            return self._plans[key]
        except KeyError:
            pass
        except TypeError:  # a list, for instance
            return None
        plan = self._understand(value, f"flag {self._flag} is {value!r}"[:200])
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _understand(self, value: object, reason: str) -> _Plan | None:
        table: Mapping[Any, Any] = value if isinstance(value, Mapping) else {}
        if isinstance(value, Mapping):
            if not set(table) <= _KEYS:
                return None
            word: object = table.get("verdict", "full")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            word, table = "full", {"rate": value}
        else:
            word = value
        verdict = _WORDS.get(str(word).strip().lower()) if isinstance(word, str | bool) else None
        rate = _number(table.get("rate", 1.0))
        per_s = _number(table.get("per_s", 0.0))
        slow_s = _number(table.get("slower_than_s", 0.0))
        if verdict is None or rate is None or rate > 1.0 or per_s is None or slow_s is None:
            return None
        missed = Decision("no", f"{reason}: not drawn, or over its rate", self._name)
        if verdict == "tail":
            decision = Decision("tail", reason, self._name, _keep(self._name, reason, slow_s))
        else:
            decision = Decision("yes" if verdict == "yes" else "no", reason, self._name)
        bucket = None
        if per_s and verdict != "no":
            # A flag whose other parts change does not get a full bucket each time.
            bucket = self._bucket_of.setdefault(per_s, TokenBucket(per_s=per_s, clock=self._clock))
        threshold = 0 if verdict == "no" else threshold_of(rate)
        return _Plan(decision, missed, threshold, bucket, verdict == "tail")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < 1e9:
        return None
    return float(value)


def _keep(name: str, reason: str, slow_s: float) -> Keep:
    failed = Decision("yes", f"{reason}, and it failed", name)
    slow = Decision("yes", f"{reason}, and it took longer than {slow_s:g} s", name)
    fine = Decision("no", f"{reason}, and it went well", name)

    def keep(finished: FinishedRequest) -> Decision:
        if finished.status >= 500 or finished.failure is not None:
            return failed
        return slow if slow_s and finished.duration_s > slow_s else fine

    return keep
