"""Explanation: who said what, with nothing recorded, counted or used up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from retrace_core import stats
from retrace_mw import Decision, Late, RequestView, all_of, any_of, explain, first_of, make_request
from retrace_mw.deciders import Always, KeepIfFailed, Never, Rules, TraceHeader, UpstreamDecision
from retrace_mw.deciders.exclude import Exclude


def test_a_tree_says_who_said_what() -> None:
    """One decider a line; what was not asked is there too."""
    decider = any_of(Never(), all_of(KeepIfFailed(), Always()), TraceHeader(per_s=1), Always())
    found = explain(decider, make_request("/pay", headers={"X-Trace-ID": "a"}))
    assert str(found).splitlines() == [
        "yes   any_of: the request carries X-Trace-ID",
        "  no    Never(): no request is recorded",
        "  tail  all_of: kept if it fails",
        "    tail  KeepIfFailed(): kept if it fails",
        "    yes   Always(): every request is recorded",
        "  yes   TraceHeader(per_s=1.0): the request carries X-Trace-ID",
        "  -     Always(): not asked: what came before it has settled the matter",
    ]


DECIDERS = [
    Never(),
    any_of(Never(), KeepIfFailed()),
    all_of(Always(), Never(), Always()),
    first_of(Never(), KeepIfFailed(), Always()),
    all_of(any_of(TraceHeader(), Never()), Rules([{"path": "/pay"}])),
    Rules([{"path": "/x"}, {"status": 500}], otherwise=first_of(Never(), Always())),
    Rules([{"path": "/pay", "action": "skip"}], otherwise=Always()),
    Exclude(Always(), ["/pay"]),
    Exclude(Always(), ["/health"]),
    Exclude(Never(), ["/pay"], force=Always()),
    Late(Always()),
]


@pytest.mark.parametrize("decider", DECIDERS, ids=repr)
@pytest.mark.parametrize("trace", [{}, {"X-Trace-ID": "a"}], ids=["fresh", "traced"])
def test_the_explanation_says_what_the_decider_does(decider: Any, trace: dict[str, str]) -> None:
    """Verdict and reason are those of the decision."""
    request = make_request("/pay", headers=trace)
    found, decision = explain(decider, request), decider(request)
    assert found.verdict == decision.verdict
    if decider is not DECIDERS[0]:
        assert found.reason.startswith(decision.reason)


@pytest.mark.parametrize("made", [TraceHeader, UpstreamDecision])
def test_explaining_uses_up_no_rate(made: Any) -> None:
    """A header's rate is whole afterwards, and nothing was counted."""
    decider = any_of(made(per_s=0.5))
    request = make_request("/", headers={"X-Trace-ID": "a", "X-Retrace": "yes"})
    before = stats()
    assert {explain(decider, request).verdict for _ in range(5)} == {"yes"}
    assert stats() == before
    decider(request)
    assert "more than" in explain(decider, request).parts[0].reason


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        (
            "",
            [
                "yes   UpstreamDecision(per_s=100): no decision of a caller: every request is"
                " recorded",
                "  yes   Always(): every request is recorded",
            ],
        ),
        (
            "no",
            [
                "no    UpstreamDecision(per_s=100): the caller does not record it",
                "  -     Always(): not asked: what came before it has settled the matter",
            ],
        ),
    ],
)
def test_what_decides_without_a_caller_has_a_line_of_its_own(told: str, lines: list[str]) -> None:
    """And it is not asked where the caller has decided."""
    request = make_request("/", headers={"X-Retrace": told} if told else {})
    assert str(explain(UpstreamDecision(Always()), request)).splitlines() == lines


def test_a_rule_tells_the_condition_that_is_not_met() -> None:
    """By its key."""
    rules = Rules([{"name": "pay", "path": "/pay", "methods": "POST", "query": {"a": "1"}}])
    (part,) = explain(rules, make_request("/pay")).parts
    assert (part.decider, part.reason) == ("rule 1 (pay)", "not met: methods, query")


@pytest.mark.faults_expected
def test_a_decider_that_fails_is_an_error_in_the_tree() -> None:
    """As in production it counts as no, and what comes after it is not asked."""

    def broken(_: RequestView) -> Decision:
        raise KeyError("user")

    found = explain(any_of(broken, Always()), make_request("/"))
    assert found.verdict == "no"
    assert "KeyError: 'user'" in found.parts[0].reason
    assert "broken" in found.parts[0].decider


async def slow(_: RequestView) -> Decision:
    """Answer after a while."""
    await asyncio.sleep(0)
    return Decision("yes", "asked", "slow")


def test_what_must_be_awaited_is() -> None:
    """Also inside of a running event loop, and below others."""
    decider = Exclude(any_of(Never(), slow), ["/health"])

    async def inside() -> str:
        return explain(decider, make_request("/")).verdict

    assert explain(decider, make_request("/")).verdict == "yes"
    assert asyncio.run(inside()) == "yes"


def test_a_made_request_looks_like_a_real_one() -> None:
    """The same under both protocols."""

    def wsgi(environ: Any, start_response: Any) -> Any: ...

    for app in (None, wsgi):
        view = make_request(
            "/caf%C3%A9?a=1",
            method="post",
            headers=[("X-A", "1"), ("Host", "shop:80"), ("Content-Type", "text/plain")],
            query="b=2",
            client="10.0.0.1",
            app=app,
        )
        assert view.is_asgi is (app is None)
        assert (view.method, view.path, view.host, view.client) == (
            "POST",
            "/café",
            "shop",
            "10.0.0.1",
        )
        assert view.query == {"a": ["1"], "b": ["2"]}
        assert (view.header("x-a"), view.header("content-type")) == ("1", "text/plain")


def test_an_explanation_is_plain_values_too() -> None:
    """For those who print it otherwise."""
    found = explain(any_of(Never()), make_request("/")).as_dict()
    assert found["parts"][0] == {
        "decider": "Never()",
        "verdict": "no",
        "reason": "no request is recorded",
        "parts": [],
    }
