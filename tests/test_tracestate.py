"""traceparent and tracestate: parsed and written by the W3C's rules, whatever comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import stats
from retrace_core.ids import safe_folder
from retrace_mw import RequestView, make_request
from retrace_mw.propagation import outgoing_headers
from retrace_mw.trace_headers import TraceHeaders
from retrace_mw.traceparent import parse_traceparent
from retrace_mw.tracestate import (
    format_tracestate,
    member,
    ot_fields,
    parse_tracestate,
    put_member,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
LATIN = st.text(alphabet=st.characters(max_codepoint=255), max_size=120)


def view(*headers: tuple[str, str], custom: str = "") -> RequestView:
    """Return a request with these headers."""
    carried = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return RequestView({"headers": carried}, asgi=True, trace_headers=TraceHeaders(custom))


def sent(request: RequestView, verdict: str = "yes", threshold: str = "") -> dict[str, str]:
    """Return what outgoing calls of a request carry."""
    return dict(outgoing_headers(request.trace, "1" * 16, verdict, threshold))


@pytest.mark.parametrize(
    ("values", "members"),
    [
        (["a=1,b=2"], "a=1,b=2"),
        (["a=1", "b=2", "c=3"], "a=1,b=2,c=3"),
        ([" a=1 \t, ,\tb=2"], "a=1,b=2"),
        (["a= 1"], "a= 1"),
        (["1a@system=x"], "1a@system=x"),
        (["a=1,a=2"], ""),
        (["A=1"], ""),
        (["a =1"], ""),
        (["a="], ""),
        (["a=b=c"], ""),
        (["a"], ""),
        (["a@=1"], ""),
        (["a@b@c=1"], ""),
        (["a=\x7f"], ""),
        (["a=é"], ""),
        ([",".join(f"k{n}=1" for n in range(32))], ",".join(f"k{n}=1" for n in range(32))),
        ([",".join(f"k{n}=1" for n in range(33))], ""),
        ([f"{'k' * 257}=1"], ""),
        ([f"a={'v' * 257}"], ""),
        (["a=1," * 3000], ""),
        ([], ""),
    ],
    ids=lambda value: str(value)[:24],
)
def test_tracestate_by_the_specification(values: list[str], members: str) -> None:
    """One ill-formed member makes the whole of it invalid; empty ones are nothing."""
    assert ",".join(f"{key}={value}" for key, value in parse_tracestate(values)) == members


def test_a_changed_member_moves_to_the_front_and_an_equal_one_stays() -> None:
    """The others keep their order."""
    members = parse_tracestate(["a=1,retrace=no,b=2"])
    assert format_tracestate(put_member(members, "retrace", "yes")) == "retrace=yes,a=1,b=2"
    assert format_tracestate(put_member(members, "retrace", "no")) == "a=1,retrace=no,b=2"


def test_what_is_too_long_is_shortened_as_specified() -> None:
    """Members over 128 characters go first, then the last ones; ours stays in front."""
    members = parse_tracestate([f"a=1,long={'x' * 200},b={'y' * 100}", f"c={'z' * 250},d=4"])
    assert format_tracestate(put_member(members, "retrace", "yes")) == (
        f"retrace=yes,a=1,long={'x' * 200},b={'y' * 100},d=4"
    )
    many = parse_tracestate([",".join(f"key{n:02}={'v' * 20}" for n in range(32))])
    text = format_tracestate(put_member(many, "retrace", "no"))
    assert text.startswith("retrace=no,key00=")
    assert len(text) <= 512
    full = parse_tracestate([",".join(f"k{n}=1" for n in range(32))])
    assert len(format_tracestate(put_member(full, "retrace", "no")).split(",")) == 32


@given(st.lists(LATIN, max_size=4))
def test_any_tracestate_gives_a_valid_one(values: list[str]) -> None:
    """What is written is read again as the same members, within the limits."""
    text = format_tracestate(put_member(parse_tracestate(values), "retrace", "yes"))
    assert len(text) <= 512
    assert member(parse_tracestate([text]), "retrace") == "yes"
    assert format_tracestate(parse_tracestate([text])) == text


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.from_regex(r"[!-+.-<>-~]{1,9}", fullmatch=True)))
)
def test_well_formed_members_go_through(pairs: list[tuple[str, str]]) -> None:
    """Every member of unlike keys comes out as it went in."""
    members = tuple(dict(pairs).items())
    assert parse_tracestate([format_tracestate(members)]) == members


NAMES = ("traceparent", "tracestate", "X-Trace-ID", "X-Retrace", "X-Request-ID", "X-Amzn-Trace-Id")


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), LATIN | st.sampled_from([PARENT, "yes", "a=1", TRACE])),
        max_size=8,
    )
)
def test_any_headers_give_a_trace_and_sendable_headers(headers: list[tuple[str, str]]) -> None:
    """Never an error, never a name that leaves its folder, never a line break sent on."""
    request = view(*headers, custom="X-Request-ID, X-Amzn-Trace-Id")
    trace = request.trace
    assert len(trace.trace_id) == 32
    assert int(trace.trace_id, 16)
    assert safe_folder(trace.name)
    assert trace.upstream in ("", "yes", "no", "tail")
    assert 0 <= trace.randomness < 1 << 56
    for verdict in ("yes", "no", "tail"):
        headers_out = sent(request, verdict)
        assert parse_traceparent(headers_out["traceparent"]) is not None
        assert member(parse_tracestate([headers_out["tracestate"]]), "retrace") == verdict
        assert all(v.isprintable() and v.isascii() for v in headers_out.values())


@pytest.mark.parametrize(
    ("headers", "verdict", "expected"),
    [
        ([("traceparent", PARENT)], "yes", {"X-Trace-ID": TRACE, "X-Retrace": "yes"}),
        ([("traceparent", PARENT)], "tail", {"X-Retrace": "tail"}),
        ([("traceparent", PARENT)], "no", {"X-Retrace": "no"}),
        ([("X-Trace-ID", "order-7")], "no", {"X-Trace-ID": "order-7", "X-Retrace": "no"}),
        ([("X-Trace-ID", "../x")], "no", {"X-Retrace": "no"}),
    ],
    ids=["recorded", "provisional", "unrecorded", "named, unrecorded", "hostile, unrecorded"],
)
def test_a_name_goes_out_when_it_came_or_asks_rightly(
    headers: list[tuple[str, str]], verdict: str, expected: dict[str, str]
) -> None:
    """X-Trace-ID asks for a recording: only a certain one, or the caller, may send it."""
    found = sent(view(*headers), verdict)
    assert {name: value for name, value in found.items() if name.startswith("X-")} == expected


def test_a_trace_goes_on_with_our_span_and_its_flags() -> None:
    """The trace id is passed on, the span id is ours, the flags are as they came."""
    for flags in ("00", "01", "02", "03"):
        request = view(("traceparent", f"00-{TRACE}-00f067aa0ba902b7-{flags}"))
        assert request.trace.parent_span_id == "00f067aa0ba902b7"
        assert sent(request, "no")["traceparent"] == f"00-{TRACE}-{'1' * 16}-{flags}"
    later = view(("traceparent", f"cc-{TRACE}-00f067aa0ba902b7-ff-more"))
    assert sent(later)["traceparent"] == f"00-{TRACE}-{'1' * 16}-03"


def test_a_trace_that_begins_here_is_random_and_sampled_when_recorded() -> None:
    """And tells by which threshold it was drawn, which an application's trace never hears."""
    assert sent(view(), "yes")["traceparent"].endswith("-03")
    assert sent(view(), "no")["traceparent"].endswith("-02")
    assert sent(view(), "yes", "e6")["tracestate"] == "retrace=yes,ot=th:e6"
    assert sent(view(("traceparent", PARENT)), "yes", "e6")["tracestate"] == "retrace=yes"


def test_explicit_randomness_takes_the_place_of_the_trace_ids() -> None:
    """`rv` of tracestate is 14 hex digits, else it is not used; it is passed on untouched."""
    state = "ot=th:8;rv:9b8233f7e3a151,x=1"
    request = view(("traceparent", PARENT), ("tracestate", state))
    assert request.randomness == 0x9B8233F7E3A151
    assert sent(request)["tracestate"] == f"retrace=yes,{state}"
    for wrong in ("ot=rv:9b8233f7e3a15", "ot=rv:zz8233f7e3a151", "ot=rv", "ot=;;:"):
        request = view(("traceparent", PARENT), ("tracestate", wrong))
        assert request.randomness == int(TRACE, 16) & ((1 << 56) - 1)
    assert ot_fields(parse_tracestate([state])) == {"th": "8", "rv": "9b8233f7e3a151"}


@pytest.mark.parametrize(
    ("headers", "upstream"),
    [
        ([("X-Retrace", "yes")], "yes"),
        ([("X-Retrace", " Tail ")], "tail"),
        ([("X-Retrace", "perhaps")], ""),
        ([("X-Retrace", "yes"), ("X-Retrace", "no")], ""),
        ([("tracestate", "retrace=no")], ""),
        ([("traceparent", PARENT), ("tracestate", "a=1,retrace=no")], "no"),
        ([("traceparent", PARENT), ("tracestate", "retrace=no"), ("X-Retrace", "yes")], "yes"),
        ([("X-Trace-ID", "f" * 32), ("traceparent", PARENT), ("tracestate", "retrace=no")], "no"),
    ],
    ids=str,
)
def test_the_callers_decision_comes_by_either_carrier(
    headers: list[tuple[str, str]], upstream: str
) -> None:
    """The plain header is the nearest caller's; tracestate may be of one before it."""
    assert view(*headers).upstream == upstream


def test_another_trace_id_of_the_same_request_is_a_new_trace() -> None:
    """An X-Trace-ID that is a trace id wins over traceparent, whose state stays behind."""
    request = view(("X-Trace-ID", "f" * 32), ("traceparent", PARENT), ("tracestate", "a=1"))
    assert sent(request)["tracestate"] == "retrace=yes"
    assert request.trace.trace_id == "f" * 32


def test_a_name_of_another_shape_leaves_the_trace_id_as_it_came() -> None:
    """X-Trace-ID: order-7 within a traced request: OpenTelemetry's trace is not broken."""
    request = view(("X-Trace-ID", "order-7"), ("traceparent", PARENT), ("tracestate", "a=1"))
    assert (request.trace.name, request.trace.trace_id) == ("order-7", TRACE)
    assert sent(request)["tracestate"] == "retrace=yes,a=1"


AMAZON = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.mark.parametrize(
    ("header", "value", "name", "trace_id"),
    [
        ("X-Request-ID", "req-9", "req-9", ""),
        ("X-Request-ID", TRACE.upper(), TRACE, TRACE),
        ("X-Amzn-Trace-Id", AMAZON, None, "5759e988bd862e3fe1be46a994272793"),
        ("X-Amzn-Trace-Id", f"Self=1-a-b; {AMAZON}", None, "5759e988bd862e3fe1be46a994272793"),
    ],
)
def test_a_header_of_the_users_names_the_trace(
    header: str, value: str, name: str | None, trace_id: str
) -> None:
    """It asks for no recording, and goes on as it came."""
    request = view((header, value), custom="X-Request-ID, X-Amzn-Trace-Id")
    assert not request.names_trace
    assert request.trace.name == (name or "1-5759e988-bd862e3fe1be46a994272793")
    assert not trace_id or request.trace.trace_id == trace_id
    assert sent(request, "no")[header] == value


@pytest.mark.parametrize("value", ["../x", "", "Root=../../x", "a b", "Root=1-0-0", "x" * 200])
def test_a_hostile_name_is_not_used(value: str) -> None:
    """The trace gets an id of its own."""
    request = view(("X-Amzn-Trace-Id", value), custom="X-Amzn-Trace-Id")
    assert request.trace.name == request.trace.trace_id


@pytest.mark.parametrize(
    ("headers", "malformed"),
    [
        ([("traceparent", PARENT), ("tracestate", "a=1"), ("X-Retrace", "Yes")], []),
        ([("traceparent", PARENT), ("tracestate", " , ")], []),
        ([("X-Trace-ID", "order-7"), ("X-Request-ID", "7")], []),
        ([("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")], []),
        ([("traceparent", "00-1-2-3")], ["traceparent"]),
        ([("traceparent", PARENT), ("traceparent", PARENT)], ["traceparent"]),
        ([("traceparent", f"00-{'0' * 32}-00f067aa0ba902b7-01")], ["traceparent"]),
        ([("traceparent", PARENT), ("tracestate", "a=1,a=2")], ["tracestate"]),
        ([("traceparent", PARENT), ("tracestate", "ot=rv:1")], ["tracestate"]),
        ([("X-Retrace", "perhaps")], ["x-retrace"]),
        ([("X-Retrace", "yes"), ("X-Retrace", "no")], ["x-retrace"]),
        ([("X-Trace-ID", "../x")], ["x-trace-id"]),
        ([("X-Trace-ID", "a"), ("X-Trace-ID", "b")], ["x-trace-id"]),
        ([("X-Request-ID", "a b")], ["x-request-id"]),
        ([("X-Request-ID", "a/b"), ("X-Retrace", "")], ["x-request-id", "x-retrace"]),
    ],
)
def test_a_malformed_header_is_counted(
    headers: list[tuple[str, str]], malformed: list[str]
) -> None:
    """By its name, once for a request, however often its trace is asked for."""
    before = stats()
    request = view(*headers, custom="X-Request-ID, X-Amzn-Trace-Id")
    for _ in range(2):
        assert sorted(request.trace.malformed) == malformed
    grown = {name: value - before.get(name, 0) for name, value in stats().items()}
    counted = {name: value for name, value in grown.items() if name.startswith("malformed")}
    assert {name: value for name, value in counted.items() if value} == {
        f"malformed.{name}": 1 for name in malformed
    }


def test_a_request_that_nobody_sent_counts_nothing() -> None:
    """Explaining changes no metric."""
    before = stats()
    assert make_request("/", headers={"traceparent": "x"}).trace.malformed == ("traceparent",)
    assert stats() == before
