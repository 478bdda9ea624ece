"""The deciders that judge a request by its end, for ASGI and WSGI alike."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import flask
import httpx
import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from werkzeug.test import Client

from retrace_core import ConfigurationError, load, stats, writer
from retrace_core.recording import Failure, Frame
from retrace_mw import (
    Decision,
    FinishedRequest,
    RequestView,
    RetraceMiddleware,
    all_of,
    any_of,
    first_of,
)
from retrace_mw.deciders import (
    Always,
    KeepIf,
    KeepIfFailed,
    KeepIfNew,
    KeepIfSlower,
    KeepIfSlowest,
    Never,
    SampleRate,
)
from retrace_mw.finished import route_of
from retrace_mw.quantile import DurationRanks
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from pathlib import Path

_logger = logging.getLogger("shop")


def finished(
    *,
    path: str = "/",
    status: int = 200,
    failure: Failure | None = None,
    duration_s: float = 0.01,
) -> FinishedRequest:
    """Return the end of a request."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
    return FinishedRequest(
        request=RequestView(environ, asgi=False),
        status=status,
        headers=(),
        failure=failure,
        duration_s=duration_s,
        complete=True,
    )


def failure(line: int = 7, *, handled: bool = False) -> Failure:
    """Return an exception raised in a line of the shop."""
    return Failure("shop.Sold", "out", [Frame("shop.py", line, "buy")], handled=handled)


def keeps(decider: Any, end: FinishedRequest) -> bool:
    """Return whether a decider keeps a request that ended like this."""
    decision = decider(end.request)
    assert decision.verdict == "tail"
    return decision.keep(end).verdict == "yes"


# -- KeepIfFailed


@pytest.mark.parametrize(
    ("options", "status", "kept"),
    [
        ({}, 500, True),
        ({}, 599, True),
        ({}, 499, False),
        ({}, 0, False),
        ({"statuses": (404, "500-502")}, 404, True),
        ({"statuses": (404, "500-502")}, 502, True),
        ({"statuses": (404, "500-502")}, 503, False),
        ({"statuses": "4xx"}, 429, True),
        ({"statuses": ()}, 500, False),
    ],
)
def test_a_status_can_be_a_failure(options: Any, status: int, kept: bool) -> None:
    """5xx by default; numbers, classes and ranges as configured."""
    assert keeps(KeepIfFailed(**options), finished(status=status)) is kept


@pytest.mark.parametrize(
    ("options", "handled", "kept"),
    [
        ({}, False, True),
        ({}, True, True),
        ({"logged": False}, True, False),
        ({"logged": False}, False, True),
        ({"escaped": False}, False, False),
        ({"escaped": False}, True, True),
    ],
)
def test_an_exception_is_a_failure(options: Any, handled: bool, kept: bool) -> None:
    """Whether it escaped, or was handled and logged; each can be switched off."""
    end = finished(status=200, failure=failure(handled=handled))
    assert keeps(KeepIfFailed(**options), end) is kept


@pytest.mark.parametrize("statuses", [("5x",), (99,), (600,), ("504-500",), (True,), (1.5,), ("",)])
def test_a_status_that_is_none_is_refused(statuses: Any) -> None:
    """With the entry that is wrong, and what is allowed."""
    with pytest.raises(ConfigurationError, match="500-504"):
        KeepIfFailed(statuses=statuses)


def test_nothing_would_be_a_failure_is_refused() -> None:
    """A decider that never keeps is a mistake."""
    with pytest.raises(ConfigurationError, match="at least one"):
        KeepIfFailed(statuses=(), escaped=False, logged=False)


# -- KeepIfSlower, KeepIfSlowest


def test_what_took_longer_is_kept() -> None:
    """A duration at the threshold is not over it."""
    assert not keeps(KeepIfSlower(0.5), finished(duration_s=0.5))
    assert keeps(KeepIfSlower(0.5), finished(duration_s=0.501))


def test_the_slowest_share_of_a_route_is_kept() -> None:
    """Of 10,000 durations spread evenly about the slowest hundredth is kept."""
    decider = KeepIfSlowest(share=0.01)
    kept = [
        n
        for n in range(10_000)
        if keeps(decider, finished(duration_s=0.001 * 1.001 ** (n * 7919 % 10_000)))
    ]
    slow = [n for n in kept if n * 7919 % 10_000 >= 9_800]
    assert 50 <= len(kept) <= 120
    assert len(slow) == len(kept)


def test_a_route_is_learnt_before_anything_of_it_is_kept() -> None:
    """Warm-up: the slowest of the first hundred is not kept, a later one is."""
    decider = KeepIfSlowest(share=0.05)
    assert not any(keeps(decider, finished(duration_s=n + 1)) for n in range(100))
    assert keeps(decider, finished(duration_s=500))


def test_routes_are_judged_by_their_own() -> None:
    """A slow route's ordinary request is not slow; a fast one's would be, at that duration."""
    decider = KeepIfSlowest(share=0.05)
    for _ in range(200):
        keeps(decider, finished(path="/report", duration_s=5.0))
        keeps(decider, finished(path="/health", duration_s=0.001))
    assert not keeps(decider, finished(path="/report", duration_s=5.0))
    assert keeps(decider, finished(path="/health", duration_s=5.0))


def test_equal_durations_are_not_slow() -> None:
    """Where every request takes the same time, none stands out."""
    decider = KeepIfSlowest(share=0.01)
    assert not any(keeps(decider, finished(duration_s=0.02)) for _ in range(1000))


def test_the_number_of_routes_is_bounded() -> None:
    """Paths that a client invents can't fill the memory."""
    decider = KeepIfSlowest(routes=10)
    for n in range(100):
        keeps(decider, finished(path="/" + "x" * n))
    assert len(decider._ranks) == 10


@given(st.lists(st.floats(1e-5, 900), min_size=1, max_size=300))
def test_the_share_of_a_duration_is_right_within_five_percent(durations: list[float]) -> None:
    """It lies between the exact shares of the duration 5 % up and 5 % down."""
    ranks = DurationRanks(1000)
    for n, duration in enumerate(durations, start=1):
        share = ranks.add(duration)
        seen = durations[:n]
        assert sum(one >= duration * 1.0501 for one in seen) / n <= share
        assert share <= sum(one >= duration / 1.0501 for one in seen) / n


def test_old_durations_are_forgotten() -> None:
    """After two windows nothing of what was before counts."""
    ranks = DurationRanks(50)
    for _ in range(500):
        ranks.add(10.0)
    for _ in range(100):
        share = ranks.add(0.001)
    assert ranks.seen <= 100
    assert share == 1.0
    assert ranks.add(10.0) < 0.02


def test_threads_may_share_the_deciders_with_a_memory() -> None:
    """Nothing is counted twice or lost, and one request of a new kind is new once."""
    slowest, new = KeepIfSlowest(share=0.5, warm_up=10_000), KeepIfNew()
    news: list[bool] = []

    def work() -> None:
        for n in range(500):
            keeps(slowest, finished())
            news.append(keeps(new, finished(status=200 + n % 100)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(news) == 100
    (ranks,) = slowest._ranks.values()
    assert ranks.seen == 2000


# -- KeepIfNew


class Clock:
    """A clock that tests set."""

    now_ns = 0

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ns


def test_the_first_of_each_kind_is_kept() -> None:
    """Route, status and exception make the kind; a number in the path does not."""
    decider = KeepIfNew()
    ends = [
        finished(path="/orders/1"),
        finished(path="/orders/2"),
        finished(path="/orders/2", status=500),
        finished(path="/orders/3", status=500, failure=failure(7)),
        finished(path="/orders/4", status=500, failure=failure(7)),
        finished(path="/orders/4", status=500, failure=failure(8)),
    ]
    assert [keeps(decider, end) for end in ends] == [True, False, True, True, False, True]


def test_what_was_not_seen_lately_is_new_again() -> None:
    """A kind is remembered from when it was seen last."""
    clock = Clock()
    decider = KeepIfNew(window_s=10, clock_ns=clock)
    kept = []
    for seconds in (0, 9, 18, 29):
        clock.now_ns = seconds * 10**9
        kept.append(keeps(decider, finished()))
    assert kept == [True, False, False, True]


def test_the_number_of_kinds_is_bounded() -> None:
    """The one not seen for longest is forgotten."""
    decider = KeepIfNew(size=2)
    paths = ["/a", "/b", "/a", "/c", "/a", "/b"]
    kept = [keeps(decider, finished(path=path)) for path in paths]
    assert kept == [True, True, False, True, False, True]
    assert len(decider._seen_ns) == 2


# -- all of them


LITERAL = [
    KeepIfFailed(),
    KeepIfFailed(statuses=(404, "5xx"), escaped=False),
    KeepIfSlower(0.25),
    KeepIfSlowest(share=0.02, warm_up=50, routes=7),
    KeepIfNew(window_s=60, size=9),
]


@pytest.mark.parametrize("decider", LITERAL, ids=repr)
def test_its_repr_makes_it_again(decider: Any) -> None:
    """So that a settings file can say it."""
    assert repr(eval(repr(decider))) == repr(decider)


def test_a_predicate_is_shown_by_its_name() -> None:
    """Its reason too, which goes into the recording."""

    def large(_: FinishedRequest) -> bool:
        return True

    assert repr(KeepIf(large)).endswith("large)")
    decision = KeepIf(large, reason="large answer")(finished().request)
    assert decision.keep is not None
    assert decision.keep(finished()) == Decision("yes", "large answer", "KeepIf")


@pytest.mark.parametrize("decider", [*LITERAL, KeepIf(bool)], ids=repr)
def test_its_decision_is_made_once(decider: Any) -> None:
    """No request pays for making it."""
    request = finished().request
    assert decider(request) is decider(request)


@pytest.mark.parametrize(
    "make",
    [
        lambda: KeepIfSlower(0),
        lambda: KeepIfSlower("1"),  # type: ignore[arg-type]
        lambda: KeepIfSlower(float("nan")),
        lambda: KeepIfSlowest(share=0),
        lambda: KeepIfSlowest(share=1),
        lambda: KeepIfSlowest(warm_up=0),
        lambda: KeepIfSlowest(routes=True),
        lambda: KeepIfNew(window_s=-1),
        lambda: KeepIfNew(size=0),
        lambda: KeepIf(None),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_argument_is_refused(make: Any) -> None:
    """At start, not at the end of the first request."""
    with pytest.raises(ConfigurationError):
        make()


def test_a_route_is_the_path_without_ids_where_no_framework_tells_it() -> None:
    """Whole parts go: what has a digit is an id, or may be one."""
    end = finished(path="/shops/7/orders/6a5b-11/lines")
    assert route_of(end) == "GET /shops/*/orders/*/lines"


# -- through the middleware


def by_path(path: str) -> int:
    """Answer by the path; raises or logs as it says."""
    if path == "/raise":
        raise LookupError("no such lamp")
    if path == "/logged":
        try:
            raise LookupError("no such lamp")
        except LookupError:
            _logger.exception("handled")
        return 200
    return int(path[1:])


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Answer as `by_path` says."""
    start_response(f"{by_path(environ['PATH_INFO'])} X", [("Content-Type", "text/plain")])
    return [b"x"]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer as `by_path` says."""
    await PlainTextResponse("x", status_code=by_path(scope["path"]))(scope, receive, send)


def ask(protocol: str, app: Any, *paths: str, **options: Any) -> None:
    """Send requests to an application behind the middleware."""
    wrapped = RetraceMiddleware(app, service="shop", **options)
    if protocol == "wsgi":
        client = Client(wrapped)
        for path in paths:
            try:
                client.get(path, buffered=True)
            except LookupError:
                assert path == "/raise"
        return

    async def main() -> None:
        transport = httpx.ASGITransport(wrapped, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            for path in paths:
                await client.get(path)

    asyncio.run(main())


def kept(recordings: Path) -> dict[str, str]:
    """Return path -> reason of what was written."""
    assert writer.flush()
    headers = [load(file).header for file in recordings.glob("*/*/*.bin")]
    return {header.path: header.decision.reason for header in headers}


PROTOCOLS = {"asgi": asgi, "wsgi": wsgi}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_only_failures_are_kept(recordings: Path, protocol: str) -> None:
    """The reason says what failed; the rest leaves nothing on disk."""
    paths = ("/200", "/raise", "/logged", "/503", "/404")
    ask(protocol, PROTOCOLS[protocol], *paths, decide=KeepIfFailed())
    assert kept(recordings) == {
        "/raise": "builtins.LookupError escaped",
        "/logged": "builtins.LookupError handled and logged",
        "/503": "status 503",
    }


def in_order(part: Any) -> str:
    """Return what a parameter is called, the same in every process."""
    return " ".join(map(str, sorted(part))) if isinstance(part, set) else repr(part)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("decider", "paths"),
    [
        (any_of(KeepIfFailed(), SampleRate(0)), {"/500"}),
        (any_of(KeepIfFailed(), Always()), {"/200", "/500"}),
        (any_of(KeepIfFailed(), KeepIf(lambda end: end.status == 200)), {"/200", "/500"}),
        (all_of(Always(), KeepIfFailed()), {"/500"}),
        (all_of(Never(), KeepIfFailed()), set()),
        (all_of(KeepIfFailed(), KeepIfSlower(1000)), set()),
        (first_of(Never(), KeepIfFailed(), Always()), {"/500"}),
    ],
    ids=in_order,
)
def test_they_go_together_with_head_deciders(
    recordings: Path, protocol: str, decider: Any, paths: set[str]
) -> None:
    """In any_of, all_of and first_of."""
    ask(protocol, PROTOCOLS[protocol], "/200", "/500", decide=decider)
    assert set(kept(recordings)) == paths


def test_a_drop_starts_no_thread_and_touches_no_disk(recordings: Path) -> None:
    """Neither the writer's thread nor a folder: the end of the request is all there is."""
    before = stats().get("dropped.tail", 0)
    ask("wsgi", wsgi, *["/200"] * 20, decide=KeepIfFailed())
    process_writer = writer._writer
    assert process_writer is not None
    assert process_writer._thread is None
    assert not recordings.exists()
    assert stats()["dropped.tail"] == before + 20


# -- what "handled and logged at error level" means


def log_with_exc_info(error: Exception) -> None:
    """Log as frameworks do."""
    _logger.error("failed", exc_info=error)


def log_plainly(error: Exception) -> None:
    """Log in an except block, with neither exc_info nor the exception."""
    _logger.error("failed")


def log_as_argument(error: Exception) -> None:
    """Log after the except block, with the exception in the message."""
    _logger.error("failed: %s", error)


def log_as_named_argument(error: Exception) -> None:
    """Log with a mapping as the only argument."""
    _logger.error("failed: %(error)s", {"error": error})


def log_as_a_tracer(error: Exception) -> None:
    """Log what a tracer says of a fault of its own, as Sentry's SDK does."""
    logging.getLogger("sentry_sdk.errors").error("Internal error", exc_info=error)


def log_a_warning(error: Exception) -> None:
    """Log below the level of errors."""
    _logger.warning("failed: %s", error, exc_info=error)


@pytest.mark.parametrize(
    ("log", "inside", "noticed"),
    [
        (log_with_exc_info, True, True),
        (log_with_exc_info, False, True),
        (log_plainly, True, True),
        (log_plainly, False, False),
        (log_as_argument, True, True),
        (log_as_argument, False, True),
        (log_as_named_argument, False, True),
        (log_a_warning, True, False),
        (log_as_a_tracer, True, False),
    ],
)
def test_an_exception_is_handled_and_logged(
    recordings: Path, log: Any, inside: bool, noticed: bool
) -> None:
    """By exc_info, as an argument, or by its except block; else no exception was logged."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        caught: Exception | None = None
        try:
            raise LookupError("no such lamp")
        except LookupError as error:
            caught = error
            if inside:
                log(error)
        if not inside:
            log(caught)
        return [b"x"]

    ask("wsgi", app, "/", decide=KeepIfFailed())
    assert bool(kept(recordings)) is noticed


def test_flask_logs_the_500_that_it_handles(recordings: Path) -> None:
    """The exception never leaves Flask, and is the reason."""
    app = flask.Flask("shop")

    @app.get("/")
    def index() -> str:
        raise LookupError("no such lamp")

    ask("wsgi", app.wsgi_app, "/", decide=KeepIfFailed(statuses=()))
    assert kept(recordings) == {"/": "builtins.LookupError handled and logged"}


@pytest.mark.parametrize("logs", [True, False])
def test_flasks_error_handler_fails_only_when_it_logs(recordings: Path, logs: bool) -> None:
    """An exception that a handler turns into a 400 is the application's ordinary way."""
    app = flask.Flask("shop")

    @app.get("/")
    def index() -> str:
        raise LookupError("no such lamp")

    @app.errorhandler(LookupError)
    def refused(_: LookupError) -> tuple[str, int]:
        if logs:
            app.logger.error("refused")
        return "no", 400

    ask("wsgi", app.wsgi_app, "/", decide=KeepIfFailed())
    assert bool(kept(recordings)) is logs


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("logs", [True, False])
def test_fastapis_exception_handler_fails_only_when_it_logs(
    recordings: Path, kind: str, logs: bool
) -> None:
    """A sync one runs on another thread, out of the except block, and must name the error."""
    app = FastAPI(title="shop")

    @app.get("/")
    async def index() -> None:
        raise LookupError("no such lamp")

    def refused(_: Any, error: Exception) -> PlainTextResponse:
        if logs:
            _logger.error("refused: %s", error)
        return PlainTextResponse("no", status_code=400)

    async def refused_async(_: Any, error: Exception) -> PlainTextResponse:
        if logs:
            _logger.error("refused")
        return PlainTextResponse("no", status_code=400)

    app.add_exception_handler(LookupError, refused_async if kind == "async" else refused)
    ask("asgi", app, "/", decide=KeepIfFailed())
    assert bool(kept(recordings)) is logs


def django_fails(request: Any) -> Any:
    """Fail as a view may."""
    raise LookupError("no such lamp")


class DjangoUrls:
    """A view that raises, and one that answers 500."""

    urlpatterns = (
        django_path("fails", django_fails),
        django_path("answers", lambda request: HttpResponse("no", status=500)),
    )


def test_django_logs_the_500_that_it_handles(recordings: Path) -> None:
    """A view that raises is a failure by its exception; one that answers 500 by its status."""
    from django.core.wsgi import get_wsgi_application

    configure_django()
    app = get_wsgi_application()
    with override_settings(ROOT_URLCONF=DjangoUrls):
        ask("wsgi", app, "/fails", "/answers", decide=KeepIfFailed())
    assert kept(recordings) == {
        "/fails": "builtins.LookupError handled and logged",
        "/answers": "status 500",
    }
