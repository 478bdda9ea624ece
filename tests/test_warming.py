"""Warming: which requests are the first of their kind, and which "no" they overrule."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import flask
import pytest
from werkzeug.test import Client

from retrace_core import stats
from retrace_mw import Decision, RequestView, RetraceMiddleware, all_of, any_of, first_of
from retrace_mw.deciders import Always, KeepIf, KeepIfFailed, Never, Rules, SampleRate
from retrace_mw.deciders.exclude import Exclude
from retrace_mw.late import Late
from retrace_mw.warming import Warming
from tests.test_rules import finished, request

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_mw.decision import Decider

RARE = SampleRate(1e-9)
UNDRAWN = {"traceparent": f"00-{'1' * 18}{'0' * 14}-00000000000000aa-03"}


def refuse(_: RequestView) -> Decision:
    """Say no, as a decider of the user's."""
    return Decision("no", "not this one", "refuse")


async def refuse_slowly(_: RequestView) -> Decision:
    """Say no after a while."""
    return Decision("no", "not this one", "refuse_slowly")


@pytest.mark.parametrize(
    ("decider", "warms"),
    [
        (RARE, True),
        (SampleRate(0), False),
        (SampleRate(0.5, by="header:x-tenant", rates={"acme": 0}), True),
        (any_of(refuse, RARE), True),
        (first_of(RARE, refuse), True),
        (all_of(Always(), RARE), True),
        (all_of(refuse, RARE), False),
        (all_of(RARE, refuse), False),
        (any_of(refuse, Never()), False),
        (Exclude(RARE, ["/"]), False),
        (Exclude(RARE, ["/static/*"]), True),
        (Rules([{"path": "/", "rate": 1e-9}]), True),
        (Rules([{"path": "/", "rate": 0.0}]), False),
        (Rules([{"path": "/", "action": "skip"}], otherwise=Always()), False),
        (Rules([{"path": "/other"}], otherwise=RARE), True),
        (Rules([{"path": "/other"}]), False),
    ],
)
def test_chance_alone_is_overruled(decider: Decider, warms: bool) -> None:
    """A sampler that did not draw has nothing against a request; a rule has."""
    decision = decider(request(headers=UNDRAWN))
    assert isinstance(decision, Decision)
    assert (decision.verdict, decision.warms) == ("no", warms)


def test_a_tenant_that_is_never_recorded_is_no_warm_up() -> None:
    """Its rate is 0, whatever the others' is."""
    decider = SampleRate(0.5, by="header:x-tenant", rates={"acme": 0})
    assert not decider(request(headers={"x-tenant": "acme"})).warms


@pytest.mark.parametrize("deciders", [(RARE, refuse_slowly), (refuse_slowly, RARE)])
def test_an_answer_that_is_awaited_counts_the_same(deciders: tuple[Decider, ...]) -> None:
    """All of them must have nothing but chance against it; of any, one."""
    asked = request(headers=UNDRAWN)

    async def decided(decider: Decider) -> Decision:
        answer = decider(asked)
        return answer if isinstance(answer, Decision) else await answer

    assert not asyncio.run(decided(all_of(*deciders))).warms
    assert asyncio.run(decided(any_of(*deciders))).warms


@pytest.mark.parametrize(
    ("decider", "warms"),
    [(KeepIfFailed(), True), (KeepIf(lambda _: False), False), (Late(refuse), False)],
)
def test_what_did_not_fail_may_be_one(decider: Decider, warms: bool) -> None:
    """What a function of the user's, or a late decision, drops is dropped."""
    decision = decider(request())
    assert isinstance(decision, Decision)
    assert decision.keep is not None
    assert decision.keep(finished(request())).warms == warms


def test_each_method_and_route_has_a_first_one() -> None:
    """Numbers and ids make no other kind; where a router is known, nor does any placeholder."""
    app = flask.Flask("shop")
    app.add_url_rule("/users/<name>", "user", lambda name: name, methods=["GET", "POST"])
    warming = Warming(10)
    asked = [("GET", "/users/ann"), ("GET", "/users/bob"), ("POST", "/users/ann")]
    views = [request(path, method=method, app=app) for method, path in asked]
    assert [warming.is_first(view) for view in views] == [True, False, True]
    assert warming.is_first(request("/orders/17"))
    assert not warming.is_first(request("/orders/18"))


def test_they_end_when_there_are_enough() -> None:
    """What was not kept, such as one that nobody served, takes no room."""
    warming = Warming(2)
    for path, kept in (("/a", False), ("/b", True), ("/c", True)):
        assert warming.open
        assert warming.is_first(request(path))
        warming.ended(kept=kept)
    assert not warming.open


def test_scanners_do_not_make_kinds_without_end() -> None:
    """After some that nobody served only what has a route is looked at."""
    app = flask.Flask("shop")
    app.add_url_rule("/users/<name>", "user", lambda name: name)
    warming = Warming(64)
    found = 0
    for number in range(100):
        if warming.is_first(request(f"/wp-{number}.php", app=app)):
            warming.ended(kept=False)
            found += 1
    assert found == 16
    assert warming.is_first(request("/users/ann", app=app))


def test_many_paths_are_looked_at_seldom() -> None:
    """Asking a router takes as long as routing does."""
    warming = Warming(5000)
    first = [warming.is_first(request(f"/page-{number}")) for number in range(2640)]
    assert sum(first[:2000]) == 2000
    assert sum(first[2000:]) <= 10


def test_none_are_wanted() -> None:
    """With 0 nothing is looked at."""
    assert not Warming(0).open


@pytest.mark.faults_expected
def test_a_fault_of_it_is_no_fault_of_the_request(
    monkeypatch: pytest.MonkeyPatch, recordings: Path
) -> None:
    """It is counted, and the request is served unrecorded."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    def fail(_: Warming, request: RequestView) -> bool:
        raise RuntimeError(request.path)

    monkeypatch.setattr(Warming, "is_first", fail)
    wrapped = RetraceMiddleware(app, sample_rate=1e-9)
    wrapped._gatekeeper.warming = Warming(1)  # tests have no boot tape
    assert Client(wrapped).get("/").data == b"served"
    assert stats()["faults.warm-up"] == 1
