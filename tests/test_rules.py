"""Rules: the first that matches counts, and one that can't match is refused."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from retrace_core import ConfigurationError, load, writer
from retrace_mw import Decision, FinishedRequest, RequestView, RetraceMiddleware
from retrace_mw.deciders import Always, KeepIfFailed, Rules, SampleRate
from retrace_mw.glob import compile_globs, covers


def request(
    path: str = "/",
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    query: str = "",
    client: str = "192.0.2.1",
    app: Any = None,
) -> RequestView:
    """Return a request."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "client": (client, 1),
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
    }
    return RequestView(scope, asgi=True, app=app)


def finished(
    view: RequestView, *, status: int = 200, content_type: str = "text/html", duration_s: float = 0
) -> FinishedRequest:
    """Return a request at its end."""
    headers = (("Content-Type", content_type),)
    return FinishedRequest(
        request=view,
        status=status,
        headers=headers,
        failure=None,
        duration_s=duration_s,
        complete=True,
    )


def settle(decision: Decision, end: FinishedRequest) -> str:
    """Return the verdict at the end."""
    assert decision.verdict == "tail"
    assert decision.keep is not None
    return decision.keep(end).verdict


@pytest.mark.parametrize(
    ("rule", "matching", "other"),
    [
        ({"path": "/api/*"}, request("/api/v1/x"), request("/ap")),
        ({"path": ["/a", "/b*"]}, request("/b/c"), request("/a/")),
        ({"methods": "post"}, request(method="POST"), request()),
        ({"methods": ["PUT", "POST"]}, request(method="PUT"), request()),
        ({"headers": {"X-Plan": "gold*"}}, request(headers={"x-plan": "goldy"}), request()),
        ({"headers": {"X-Plan": "*"}}, request(headers={"x-plan": ""}), request()),
        ({"query": {"debug": ["1", "on"]}}, request(query="a=b&debug=on"), request(query="debug")),
        ({"client": "10.0.0.0/8"}, request(client="10.1.2.3"), request(client="11.0.0.1")),
        ({"client": ["2001:db8::/32"]}, request(client="2001:db8::7"), request(client="::1")),
        ({"client": "10.0.0.0/8"}, request(client="::ffff:10.0.0.1"), request(client="unix:")),
        ({"host": "*.shop.test"}, request(headers={"host": "A.shop.test:80"}), request()),
        (
            {"path": "/pay", "methods": "POST"},
            request("/pay", method="POST"),
            request("/pay"),
        ),
    ],
)
def test_a_rule_matches_when_all_of_its_conditions_do(
    rule: dict[str, Any], matching: RequestView, other: RequestView
) -> None:
    """Each condition by itself, and two together."""
    rules = Rules([rule])
    assert rules(matching).verdict == "yes"
    assert "rule 1" in rules(matching).reason
    assert rules(other).verdict == "no"


@pytest.mark.parametrize("pattern", ["/orders/{id}", "/orders/<int:id>", "/orders/*", "/*/{id}"])
def test_a_route_is_matched_however_it_is_spelled(pattern: str) -> None:
    """A rule written for one framework serves the others."""
    app = flask.Flask("shop")
    app.add_url_rule("/orders/<int:id>", view_func=lambda id: "order", endpoint="order")
    rules = Rules([{"route": pattern}])
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/orders/7", "HTTP_HOST": "shop"}
    assert rules(RequestView(environ, asgi=False, app=app)).verdict == "yes"
    environ["PATH_INFO"] = "/unknown"
    assert rules(RequestView(environ, asgi=False, app=app)).verdict == "no"


def test_the_first_rule_that_matches_counts() -> None:
    """A later one is not asked, whatever it would say."""
    rules = Rules([{"path": "/api/internal/*", "action": "skip"}, {"path": "/api/*"}])
    assert rules(request("/api/internal/x")).verdict == "no"
    assert rules(request("/api/x")).verdict == "yes"


def test_what_no_rule_matches_is_left_to_another_decider() -> None:
    """But what a rule skips is skipped, which first_of could not express."""
    rules = Rules([{"path": "/internal/*", "action": "skip"}], otherwise=Always())
    assert rules(request("/internal/x")).verdict == "no"
    assert rules(request("/x")).decider == "Always"


@pytest.mark.parametrize(
    ("condition", "met", "unmet"),
    [
        ({"status": "5xx"}, {"status": 503}, {"status": 404}),
        ({"status": [404, "500-502"]}, {"status": 404}, {"status": 503}),
        (
            {"content_type": "application/json"},
            {"content_type": "Application/JSON; charset=utf-8"},
            {"content_type": "text/html"},
        ),
        ({"min_duration_s": 0.5}, {"duration_s": 0.5}, {"duration_s": 0.4}),
    ],
)
def test_a_condition_on_the_end_is_settled_there(
    condition: dict[str, Any], met: dict[str, Any], unmet: dict[str, Any]
) -> None:
    """The request is recorded provisionally."""
    view = request("/pay")
    decision = Rules([{"path": "/pay", **condition}])(view)
    assert settle(decision, finished(view, **met)) == "yes"
    assert settle(decision, finished(view, **unmet)) == "no"
    assert Rules([{"path": "/pay", **condition}])(request("/x")).verdict == "no"


def test_the_order_of_rules_holds_at_the_end_too() -> None:
    """What the end excludes is excluded, though a later rule would record it."""
    rules = Rules([{"status": 404, "action": "skip"}, {"path": "/api/*"}, {"status": "5xx"}])
    api, page = request("/api/x"), request("/page")
    assert settle(rules(api), finished(api, status=404)) == "no"
    assert settle(rules(api), finished(api, status=200)) == "yes"
    assert settle(rules(page), finished(page, status=200)) == "no"
    assert settle(rules(page), finished(page, status=500)) == "yes"


def test_a_tail_of_the_other_decider_is_asked_last() -> None:
    """The rules at the end go before it."""
    rules = Rules([{"status": 500, "action": "skip"}], otherwise=KeepIfFailed())
    view = request()
    assert settle(rules(view), finished(view, status=500)) == "no"
    assert settle(rules(view), finished(view, status=502)) == "yes"
    assert settle(rules(view), finished(view, status=200)) == "no"


def test_the_action_tail_waits_for_decide_late_or_a_trigger() -> None:
    """Nothing in the rule itself keeps the recording."""
    decision = Rules([{"path": "/pay", "action": "tail"}])(request("/pay"))
    assert (decision.verdict, decision.keep) == ("tail", None)


def test_what_is_not_drawn_needs_no_provisional_recording() -> None:
    """The share of a rule is drawn at the start, when not recording still costs nothing."""
    rules = Rules([{"status": "5xx", "rate": 0.0}])
    assert rules(request()).verdict == "no"


def of_trace(bits: int, **given: Any) -> RequestView:
    """Return a request of one trace."""
    headers = {"traceparent": f"00-{bits | 1 << 127:032x}-00000000000000aa-01"}
    return request(headers={**headers, **given.pop("headers", {})}, **given)


@given(st.integers(0, (1 << 56) - 1), st.floats(0, 1))
def test_a_rate_draws_what_the_sampler_draws(bits: int, rate: float) -> None:
    """So that a trace is recorded by all services, or by none."""
    view = of_trace(bits)
    assert Rules([{"path": "*", "rate": rate}])(view).verdict == SampleRate(rate)(view).verdict


def test_a_tenant_has_a_rate_of_its_own() -> None:
    """By the value of a header; all others have the rule's."""
    rules = Rules(
        [{"path": "*", "rate": 0.0, "by": "header:x-tenant", "rates": {"acme": 1.0, "b": 0.0}}]
    )
    assert rules(request(headers={"X-Tenant": "acme"})).verdict == "yes"
    assert rules(request(headers={"X-Tenant": "b"})).verdict == "no"
    assert rules(request(headers={"X-Tenant": "other"})).verdict == "no"
    assert rules(request()).verdict == "no"


def test_a_sampler_has_rates_by_value_too() -> None:
    """In code, without a rule around it."""
    sampler = SampleRate(0.0, by="method", rates={"POST": 1.0})
    assert sampler(request(method="POST")).verdict == "yes"
    assert sampler(request()).verdict == "no"


WRONG = {
    "empty list": ([], "not empty"),
    "no tables": (["/api"], "rule 1"),
    "unknown key": ([{"paht": "/api"}], "path"),
    "unknown method": ([{"methods": "GTE"}], "GET"),
    "unknown action": ([{"path": "/x", "action": "keep"}], '"record", "skip" or "tail"'),
    "empty condition": ([{"path": []}], "not empty"),
    "path without slash": ([{"path": "api/*"}], "begins with /"),
    "path with query": ([{"path": "/api?x=1"}], "without a query"),
    "host with port": ([{"host": "shop:80"}], "without scheme, port"),
    "host with scheme": ([{"host": "http://shop"}], "without scheme"),
    "no network": ([{"client": "10.0.0"}], "10.0.0.0/8"),
    "host bits": ([{"client": "10.0.0.1/8"}], "host bits"),
    "header name": ([{"headers": {"x y": "1"}}], "names of headers"),
    "headers as text": ([{"headers": "x"}], "table"),
    "status": ([{"status": 99}], "5xx"),
    "media type": ([{"content_type": "html"}], "text/html"),
    "duration": ([{"min_duration_s": 0}], "above 0"),
    "rate": ([{"path": "/x", "rate": 2}], "0.0 to 1.0"),
    "rate of nothing": ([{"path": "/x", "action": "skip", "rate": 0.5}], "records nothing"),
    "by alone": ([{"path": "/x", "by": "header:x"}], "together"),
    "by unknown": ([{"path": "/x", "by": "user", "rates": {"a": 1}}], "header:NAME"),
    "rate of a tenant": ([{"path": "/x", "by": "method", "rates": {"GET": 7}}], "rates.GET"),
    "shadowed": ([{"path": "/api/*"}, {"path": "/api/x", "methods": "GET"}], "before rule 1"),
    "same": ([{"path": "/x", "rate": 0.1}, {"path": "/x"}], "before rule 1"),
    "after all": ([{"name": "all"}, {"status": 500}], "before rule 1 (all)"),
    "narrower network": ([{"client": "10.0.0.0/8"}, {"client": "10.1.0.0/16"}], "before rule 1"),
    "more headers": ([{"headers": {"a": "*"}}, {"headers": {"A": "x", "b": "y"}}], "before"),
    "useless skip": ([{"path": "/x"}, {"path": "/y", "action": "skip"}], "later rule"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_rule_that_cannot_work_is_refused_at_start(name: str) -> None:
    """The error names the rule, the key, the value and what is allowed."""
    rules, told = WRONG[name]
    with pytest.raises(ConfigurationError) as caught:
        Rules(rules)  # type: ignore[arg-type]
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "rules",
    [
        [{"path": "/api/x"}, {"path": "/api/*"}],
        [{"path": "/api/*", "methods": "GET"}, {"path": "/api/*"}],
        [{"path": "/api/*", "status": 500}, {"path": "/api/*"}],
        [{"query": {"a": "1"}}, {"query": {"b": "1"}}],
        [{"min_duration_s": 2}, {"min_duration_s": 1}],
        [{"client": "10.0.0.0/8"}, {"client": "::/0"}],
    ],
)
def test_a_rule_that_can_still_match_is_accepted(rules: list[dict[str, Any]]) -> None:
    """A narrow rule before a broad one is what an order is for."""
    assert Rules(rules).rules == tuple(rules)


def test_the_name_of_a_rule_is_in_its_error() -> None:
    """So that it is found in a long file."""
    with pytest.raises(ConfigurationError, match=r"rule 2 \(checkout\): methods='PSOT'"):
        Rules([{"path": "/x"}, {"name": "checkout", "methods": "PSOT"}])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    "name path route methods host client headers query status content_type min_duration_s action"
    " rate by rates".split()
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4) | VALUES, max_size=3))
def test_any_tables_give_rules_or_a_configuration_error(tables: list[Any]) -> None:
    """No value of any key leads to another exception, when made or when asked."""
    try:
        rules = Rules(tables)
    except ConfigurationError as error:
        assert str(error)
        return
    view = request("/x", headers={"x": "y"}, query="a=b")
    decision = rules(view)
    assert decision.verdict in ("no", "tail", "yes")
    if decision.keep is not None:
        assert decision.keep(finished(view)).verdict in ("no", "yes")


ALPHABET = st.text("ab/*", min_size=1, max_size=6)


@given(ALPHABET, ALPHABET, st.text("ab/", max_size=6))
def test_what_a_pattern_covers_it_matches(broad: str, narrow: str, text: str) -> None:
    """`covers` never claims too much."""
    if covers([broad], [narrow]) and compile_globs([narrow]).fullmatch(text):
        assert compile_globs([broad]).fullmatch(text)


def test_many_stars_do_not_make_a_pattern_slow() -> None:
    """A pattern is the operator's, the path a stranger's."""
    matches = compile_globs(["/" + "*" * 50 + "x"]).fullmatch
    assert matches("/" + "a" * 10_000) is None


def test_a_rule_decides_of_a_real_request(recordings: Any) -> None:
    """By its route, which Flask tells, and its status."""
    app = flask.Flask("shop")
    app.add_url_rule("/orders/<int:id>", view_func=lambda id: ("order", id), endpoint="order")
    rules = Rules([{"name": "failed orders", "route": "/orders/{id}", "status": "5xx"}])
    client = Client(RetraceMiddleware(app, decide=rules, service="shop"))
    for status in (200, 404, 503):
        client.get(f"/orders/{status}", buffered=True)
    client.get("/elsewhere", buffered=True)
    assert writer.flush()
    (file,) = recordings.glob("*/*/trace.bin")
    assert load(file).header.decision.reason == "rule 1 (failed orders)"
