"""The W3C's trace-context rules, case by case, seen from the services behind.

Each case of the validation harness of the W3C's trace-context project stands here as a fact of
ours: what comes in, and what must go out with a real HTTP call, of both middlewares, recorded
and not. What we do otherwise is in docs/propagation.md, with the reason.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from werkzeug.datastructures import Headers
from werkzeug.test import Client

from retrace_mw import RetraceMiddleware
from retrace_mw.traceparent import Traceparent, parse_traceparent
from retrace_mw.tracestate import parse_tracestate
from tests.http_origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Sent = list[tuple[str, str]]

ID, SPAN = "12345678901234567890123456789012", "1234567890123456"
GOOD = f"00-{ID}-{SPAN}-01"
EVERY_KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
EVERY_VALUE = "".join(map(chr, (*range(0x20, 0x2C), *range(0x2D, 0x3D), *range(0x3E, 0x7F))))


@pytest.fixture(scope="module")
def behind() -> Iterator[str]:
    """Yield the address of the service behind, which answers with the headers it got."""
    with origin() as (url, _):
        yield url


def through_asgi(behind: str, headers: Sent, rate: float, calls: int = 1) -> list[dict[str, str]]:
    """Send a request to an ASGI service; return what the service behind got, by httpx."""
    got: list[dict[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with httpx.AsyncClient(verify=False) as client:
            for _ in range(calls):
                got.append((await client.get(behind)).json()["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return None

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
    scope["headers"] = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    asyncio.run(RetraceMiddleware(app, sample_rate=rate, service="front")(scope, receive, send))
    return got


def through_wsgi(behind: str, headers: Sent, rate: float, calls: int = 1) -> list[dict[str, str]]:
    """Send a request to a WSGI service; return what the service behind got, by requests."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        with requests.Session() as session:
            got = [session.get(behind).json()["headers"] for _ in range(calls)]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(got).encode()]

    client = Client(RetraceMiddleware(app, sample_rate=rate, service="front"))
    answer = client.get("/", headers=Headers(headers), buffered=True)
    found: list[dict[str, str]] = json.loads(answer.data)
    return found


@pytest.fixture(
    params=[(through_asgi, 1.0), (through_asgi, 0.0), (through_wsgi, 1.0), (through_wsgi, 0.0)],
    ids=["asgi, recorded", "asgi, unrecorded", "wsgi, recorded", "wsgi, unrecorded"],
)
def service(
    request: pytest.FixtureRequest, behind: str, recordings: object
) -> Callable[..., list[dict[str, str]]]:
    """Return how to send a request through a service: (headers, calls) -> what went out."""
    through, rate = request.param
    return lambda headers, calls=1: through(behind, headers, rate, calls)


# Recorded or not, one reader serves both: the many cases need not be crossed with it.
EITHER = pytest.mark.parametrize(
    "service",
    [(through_asgi, 1.0), (through_wsgi, 0.0)],
    ids=["asgi, recorded", "wsgi, unrecorded"],
    indirect=True,
)


def context(headers: dict[str, str]) -> tuple[Traceparent, dict[str, str]]:
    """Return the traceparent, which must be valid, and the tracestate, without our member."""
    lower = {name.lower(): value for name, value in headers.items()}
    parent = parse_traceparent(lower["traceparent"])
    assert parent is not None
    members = dict(parse_tracestate([lower.get("tracestate", "")]))
    members.pop("retrace", None)
    members.pop("ot", None)
    return parent, members


@dataclass(frozen=True)
class Parent:
    """A traceparent that comes in: the trace goes on, or begins anew."""

    name: str
    values: tuple[str, ...]
    goes_on: bool
    header: str = "traceparent"


PARENTS = (
    Parent("valid", (GOOD,), True),
    Parent("twice", (f"00-{ID[:-1]}1-{SPAN}-01", GOOD), False),
    Parent("twice, the same", (GOOD, GOOD), False),
    Parent("another name, dash", (GOOD,), False, "trace-parent"),
    Parent("another name, dot", (GOOD,), False, "trace.parent"),
    Parent("name in title case", (GOOD,), True, "TraceParent"),
    Parent("name in mixed case", (GOOD,), True, "TrAcEpArEnT"),
    Parent("name in upper case", (GOOD,), True, "TRACEPARENT"),
    Parent("00 with a dot behind", (f"{GOOD}.",), False),
    Parent("00 with more fields", (f"{GOOD}-what-comes-later",), False),
    Parent("version cc", (f"cc-{ID}-{SPAN}-01",), True),
    Parent("version cc with more fields", (f"cc-{ID}-{SPAN}-01-what-comes-later",), True),
    Parent("version cc, ill separated", (f"cc-{ID}-{SPAN}-01.what-comes-later",), False),
    Parent("version ff", (f"ff-{ID}-{SPAN}-01",), False),
    Parent("version with a dot before", (f".0-{ID}-{SPAN}-01",), False),
    Parent("version with a dot behind", (f"0.-{ID}-{SPAN}-01",), False),
    Parent("version of three digits", (f"000-{ID}-{SPAN}-01",), False),
    Parent("version of four digits", (f"0000-{ID}-{SPAN}-01",), False),
    Parent("version of one digit", (f"0-{ID}-{SPAN}-01",), False),
    Parent("trace id of zeros", (f"00-{'0' * 32}-{SPAN}-01",), False),
    Parent("trace id with a dot before", (f"00-.{ID[1:]}-{SPAN}-01",), False),
    Parent("trace id with a dot behind", (f"00-{ID[:-1]}.-{SPAN}-01",), False),
    Parent("trace id too long", (f"00-{ID}3-{SPAN}-01",), False),
    Parent("trace id too short", (f"00-{ID[:-1]}-{SPAN}-01",), False),
    Parent("trace id in upper case", (f"00-{'A' * 32}-{SPAN}-01",), False),
    Parent("parent id of zeros", (f"00-{ID}-{'0' * 16}-01",), False),
    Parent("parent id with a dot before", (f"00-{ID}-.{SPAN[1:]}-01",), False),
    Parent("parent id with a dot behind", (f"00-{ID}-{SPAN[:-1]}.-01",), False),
    Parent("parent id too long", (f"00-{ID}-{SPAN}7-01",), False),
    Parent("parent id too short", (f"00-{ID}-{SPAN[:-1]}-01",), False),
    Parent("flags with a dot before", (f"00-{ID}-{SPAN}-.0",), False),
    Parent("flags with a dot behind", (f"00-{ID}-{SPAN}-0.",), False),
    Parent("flags too long", (f"00-{ID}-{SPAN}-001",), False),
    Parent("flags too short", (f"00-{ID}-{SPAN}-1",), False),
    Parent("space before", (f" {GOOD}",), True),
    Parent("tab before", (f"\t{GOOD}",), True),
    Parent("space behind", (f"{GOOD} ",), True),
    Parent("tab behind", (f"{GOOD}\t",), True),
    Parent("space all round", (f"\t {GOOD} \t",), True),
)


@EITHER
@pytest.mark.parametrize("case", PARENTS, ids=lambda case: case.name)
def test_traceparent(service: Any, case: Parent) -> None:
    """A valid one goes on with another parent id; of any other the trace begins anew."""
    (headers,) = service([(case.header, value) for value in case.values])
    parent, _ = context(headers)
    assert parent.span_id != SPAN
    assert (parent.trace_id == ID) is case.goes_on
    assert case.goes_on or all(parent.trace_id not in value for value in case.values)


def test_no_headers_begin_a_trace(service: Any) -> None:
    """There is always a valid traceparent."""
    parent, members = context(service([])[0])
    assert parent.trace_id != ID
    assert members == {}


@dataclass(frozen=True)
class State:
    """tracestate headers that come in, and the members that go out."""

    name: str
    values: tuple[str, ...]
    members: dict[str, str]
    header: str = "tracestate"


TENS = tuple(
    ",".join(f"bar{n:02}={n:02}" for n in range(a, min(a + 10, 33))) for a in (1, 11, 21, 31)
)
FOO = {"foo": "1"}
STATES = (
    State("two members", ("foo=1,bar=2",), {"foo": "1", "bar": "2"}),
    State("another name, dash", ("foo=1",), {}, "trace-state"),
    State("another name, dot", ("foo=1",), {}, "trace.state"),
    State("name in title case", ("foo=1",), FOO, "TraceState"),
    State("name in mixed case", ("foo=1",), FOO, "TrAcEsTaTe"),
    State("name in upper case", ("foo=1",), FOO, "TRACESTATE"),
    State("empty", ("",), {}),
    State("one and an empty one", ("foo=1", ""), FOO),
    State("an empty one and one", ("", "foo=1"), FOO),
    State(
        "three headers",
        ("foo=1,bar=2", "rojo=1,congo=2", "baz=3"),
        {"foo": "1", "bar": "2", "rojo": "1", "congo": "2", "baz": "3"},
    ),
    State("key twice, equal", ("foo=1,foo=1",), {}),
    State("key twice, unlike", ("foo=1,foo=2",), {}),
    State("key twice in two headers", ("foo=1", "foo=1"), {}),
    State("key twice in two headers, unlike", ("foo=1", "foo=2"), {}),
    State("all characters", (f"{EVERY_KEY}={EVERY_VALUE}",), {EVERY_KEY: EVERY_VALUE}),
    State(
        "all characters, vendor",
        (f"{EVERY_KEY}@a-z0-9_-*/={EVERY_VALUE}",),
        {f"{EVERY_KEY}@a-z0-9_-*/": EVERY_VALUE},
    ),
    State("spaces", ("foo=1 \t , \t bar=2, \t baz=3",), {"foo": "1", "bar": "2", "baz": "3"}),
    State("tabs", ("foo=1\t \t,\t \tbar=2,\t \tbaz=3",), {"foo": "1", "bar": "2", "baz": "3"}),
    State("space before", (" foo=1",), FOO),
    State("tab before", ("\tfoo=1",), FOO),
    State("space behind", ("foo=1 ",), FOO),
    State("tab behind", ("foo=1\t",), FOO),
    State("space all round", ("\t foo=1 \t",), FOO),
    State("key with a space", ("foo =1",), {}),
    State("key in upper case", ("FOO=1",), {}),
    State("key with a dot", ("foo.bar=1",), {}),
    State("vendor empty", ("foo@=1,bar=2",), {}),
    State("tenant empty", ("@foo=1,bar=2",), {}),
    State("two signs", ("foo@@bar=1,bar=2",), {}),
    State("two vendors", ("foo@bar@baz=1,bar=2",), {}),
    State("33 members", (*TENS[:3], f"{TENS[3]},bar33=33"), {}),
    State("key of 256", ("foo=1", f"{'z' * 256}=1"), {"foo": "1", "z" * 256: "1"}),
    State("key of 257", ("foo=1", f"{'z' * 257}=1"), {}),
    State(
        "tenant of 241, vendor of 14",
        ("foo=1", f"{'t' * 241}@{'v' * 14}=1"),
        {"foo": "1", f"{'t' * 241}@{'v' * 14}": "1"},
    ),
    State("tenant of 242", ("foo=1", f"{'t' * 242}@v=1"), {}),
    State("vendor of 15", ("foo=1", f"t@{'v' * 15}=1"), {}),
    State("value with an equals sign", ("foo=bar=baz",), {}),
    State("value empty", ("foo=,bar=3",), {}),
)


@EITHER
@pytest.mark.parametrize("case", STATES, ids=lambda case: case.name)
def test_tracestate(service: Any, case: State) -> None:
    """A valid one goes on in order; an invalid one is dropped, and the trace goes on."""
    sent = [("traceparent", f"00-{ID}-{SPAN}-00"), *((case.header, v) for v in case.values)]
    parent, members = context(service(sent)[0])
    assert parent.trace_id == ID
    assert list(members.items()) == list(case.members.items())


def test_of_32_members_the_last_makes_room_for_ours(service: Any) -> None:
    """The specification's limit holds on the way out as well."""
    sent = [("traceparent", f"00-{ID}-{SPAN}-00"), *(("tracestate", v) for v in TENS)]
    _, members = context(service(sent)[0])
    assert list(members) == [f"bar{n:02}" for n in range(1, 32)]


def test_tracestate_without_traceparent_is_dropped(service: Any) -> None:
    """It belongs to no trace."""
    assert context(service([("tracestate", "foo=1,bar=2")])[0])[1] == {}


@pytest.mark.parametrize(
    "sent", [GOOD, "", f"00-{'0' * 32}-{SPAN}-01"], ids=["valid", "none", "bad"]
)
def test_several_calls_are_of_one_trace_and_have_unlike_parents(service: Any, sent: str) -> None:
    """Each call has a parent id of its own; the first twelve digits are the request's."""
    found = service([("traceparent", sent)] if sent else [], calls=3)
    parents = [context(headers)[0] for headers in found]
    (trace_id,) = {parent.trace_id for parent in parents}
    assert (trace_id == ID) is (sent == GOOD)
    spans = {parent.span_id for parent in parents}
    assert len(spans) == 3
    assert len({span[:12] for span in spans}) == 1
    assert SPAN not in spans
