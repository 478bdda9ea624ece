"""Rules: which requests to record, by path, route, method, header, client, status and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import NO, Decider, Decision, awaits, checked_decider
from retrace_mw.explanation import NOT_ASKED, Explanation, explain, not_asked
from retrace_mw.rule import Rule, make_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["Rules"]


class Rules:
    """Decides by a list of rules, of which the first that matches counts.

    A rule is a table, the same in code and in TOML. It matches when all of its conditions do:
    `path`, `route`, `methods`, `host`, `client`, `headers`, `query`, and at the end `status`,
    `content_type`, `min_duration_s`. A rule with conditions on the end records provisionally,
    and is settled then. `action` is "record" (default), "skip" or "tail"; `rate` is the share
    of its requests, `rates` and `by` that share by a value of the request's.

    Args:
        rules: the tables, at least one.
        otherwise: asked where no rule matches; default: "no".

    Raises:
        ConfigurationError: a rule is wrong, or can't match, or changes nothing.
    """

    __slots__ = ("_no", "_rules", "otherwise", "rules")

    def __init__(
        self, rules: Sequence[Mapping[str, Any]], *, otherwise: Decider | None = None
    ) -> None:
        if not isinstance(rules, list | tuple) or not rules:
            raise ConfigurationError("rules", rules, "a list of tables that is not empty")
        if otherwise is not None and awaits(checked_decider("otherwise", otherwise)):
            raise ConfigurationError("otherwise", otherwise, "a decider that answers at once")
        self.rules = tuple(rules)
        self.otherwise = otherwise
        self._rules = [make_rule(table, number) for number, table in enumerate(rules, 1)]
        self._no = Decision("no", "no rule matches", "Rules")
        self._check()

    def __repr__(self) -> str:
        tables = ", ".join(repr(dict(table)) for table in self.rules)
        otherwise = "" if self.otherwise is None else f", otherwise={self.otherwise!r}"
        return f"Rules([{tables}]{otherwise})"

    def __call__(self, request: RequestView) -> Decision:
        """Return what the first rule that matches says; "tail" when the end must be seen."""
        pending: list[tuple[Rule, Decision]] | None = None
        last: Decision | None = None
        for rule in self._rules:
            if rule.meets(request):
                if not rule.end:
                    last = rule.outcome(request)
                    break
                if pending is None:
                    pending = []
                pending.append((rule, rule.outcome(request)))
        if last is None:
            last = self._no if self.otherwise is None else self._ask(self.otherwise, request)
        return last if pending is None else _settled_later(pending, last)

    def explain(self, request: RequestView) -> Explanation:
        """Return what each rule says of a request, and which of its conditions is not met."""
        parts: list[Explanation] = []
        pending: list[tuple[Rule, Decision]] = []
        last: Decision | None = None
        for rule in self._rules:
            unmet = [key for key, test in rule.head if not test(request)]
            if last is not None:
                parts.append(Explanation(rule.label, "", NOT_ASKED))
            elif unmet:
                parts.append(Explanation(rule.label, "no", f"not met: {', '.join(unmet)}"))
            elif rule.end:
                outcome = rule.outcome(request)
                pending.append((rule, outcome))
                ends = ", ".join(key for key, _ in rule.end)
                then = f'then "{outcome.verdict}"'
                parts.append(Explanation(rule.label, "tail", f"by {ends} at the end, {then}"))
            else:
                last = rule.outcome(request)
                reason = f"at rate {rule.rates.of(request):g}" if rule.action != "skip" else "skip"
                parts.append(Explanation(rule.label, last.verdict, reason))
        if self.otherwise is not None:
            if last is None:
                otherwise = explain(self.otherwise, request)
                verdict: Any = "no" if otherwise.verdict == "error" else otherwise.verdict
                last = Decision(verdict, otherwise.reason, otherwise.decider)
            else:
                otherwise = not_asked(self.otherwise)
            parts.append(otherwise)
        last = last or self._no
        whole = _settled_later(pending, last) if pending else last
        return Explanation("Rules", whole.verdict, whole.reason, tuple(parts))

    @staticmethod
    def _ask(decider: Decider, request: RequestView) -> Decision:
        answer: Any = decider(request)  # none that must be awaited was let in
        decision: Decision = answer
        return decision

    def _check(self) -> None:
        for place, rule in enumerate(self._rules):
            for earlier in self._rules[:place]:
                if earlier.covers(rule):
                    allowed = f"it before {earlier.label}, which matches all that it does"
                    raise ConfigurationError(rule.label, dict(self.rules[place]), allowed)
            rest = self._rules[place + 1 :]
            records = any(later.action != "skip" for later in rest)
            if rule.action == "skip" and not records and self.otherwise is None:
                allowed = "a later rule that records, or `otherwise`; what no rule matches is"
                allowed += " not recorded anyway"
                raise ConfigurationError(f"{rule.label}: action", "skip", allowed)


def _settled_later(pending: list[tuple[Rule, Decision]], last: Decision) -> Decision:
    """Return "tail" when the end decides between these, or "no" when nothing can come of it."""
    if last.verdict == "no" and all(decision.verdict == "no" for _, decision in pending):
        return last

    def keep(finished: FinishedRequest) -> Decision:
        for rule, decision in pending:
            if rule.ends(finished):
                return decision
        if last.verdict == "tail":
            return NO if last.keep is None else last.keep(finished)
        return last

    labels = ", ".join(rule.label for rule, _ in pending)
    return Decision("tail", f"{labels} will be settled at the end", "Rules", keep)
