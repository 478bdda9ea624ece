"""Tail decisions: recorded provisionally, kept or dropped at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug.test import Client

from retrace_core import ConfigurationError, load, stats, writer
from retrace_mw import (
    Decision,
    FinishedRequest,
    Late,
    LateDecisionMiddleware,
    RequestView,
    RetraceMiddleware,
    all_of,
    any_of,
    decide_late,
)
from retrace_mw.deciders import Always, Never
from tests.http_origin import origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def keep_failed(finished: FinishedRequest) -> Decision:
    """Keep what answered with a 5xx."""
    verdict = "yes" if finished.status >= 500 else "no"
    return Decision(verdict, f"status {finished.status}", "keep_failed")


def tail(_: RequestView) -> Decision:
    """Decide at the end, by the status."""
    return Decision("tail", "by status", "tail", keep_failed)


def status_of_path(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with the status that the path names."""
    start_response(f"{environ['PATH_INFO'][1:]} X", [("Content-Type", "text/plain")])
    return [b"x"]


def files(recordings: Path) -> list[Path]:
    """Return what was written."""
    assert writer.flush()
    return sorted(recordings.glob("*/*/*.bin"))


def test_a_tail_decision_keeps_what_failed_and_drops_the_rest(recordings: Path) -> None:
    """Dropped: nothing on disk, not even a folder; kept: the reason is in the recording."""
    client = Client(RetraceMiddleware(status_of_path, decide=tail, service="shop"))
    before = stats().get("dropped.tail", 0)
    client.get("/200", buffered=True)
    assert not recordings.exists() or not list(recordings.iterdir())
    assert stats()["dropped.tail"] == before + 1
    client.get("/503", buffered=True)
    (file,) = files(recordings)
    decision = load(file).header.decision
    assert (decision.verdict, decision.decider) == ("tail", "keep_failed")
    assert decision.reason == "status 503"


@pytest.mark.faults_expected
def test_a_predicate_that_fails_drops_and_is_counted(recordings: Path) -> None:
    """The response is not touched by a faulty predicate of the user's."""

    def broken(_: FinishedRequest) -> Decision:
        raise RuntimeError("broken predicate")

    decide = lambda _: Decision("tail", "", "t", broken)  # noqa: E731
    client = Client(RetraceMiddleware(status_of_path, decide=decide, service="shop"))
    assert client.get("/200", buffered=True).data == b"x"
    assert stats()["faults.tail decision"] >= 1
    assert not files(recordings)


@pytest.mark.parametrize(
    ("compose", "kept"), [(any_of, True), (all_of, False)], ids=["any_of", "all_of"]
)
def test_several_tails_are_put_together(recordings: Path, compose: Any, kept: bool) -> None:
    """Of any_of one must keep it, of all_of all must."""

    def never_kept(_: RequestView) -> Decision:
        return Decision("tail", "never", "never", lambda _: Decision("no"))

    decide = compose(tail, never_kept)
    Client(RetraceMiddleware(status_of_path, decide=decide, service="shop")).get(
        "/500", buffered=True
    )
    assert bool(files(recordings)) is kept


def test_a_yes_needs_no_end(recordings: Path) -> None:
    """A "yes" beside a "tail" is kept whatever comes of the request."""
    decide = any_of(tail, Always())
    Client(RetraceMiddleware(status_of_path, decide=decide, service="shop")).get(
        "/200", buffered=True
    )
    (file,) = files(recordings)
    assert load(file).header.decision.decider == "Always"


def of_tenant(request: RequestView) -> Decision:
    """Record one tenant only."""
    verdict = "yes" if request.facts["tenant"] == "acme" else "no"
    return Decision(verdict, f"tenant {request.facts['tenant']}", "of_tenant")


@pytest.mark.parametrize(("tenant", "kept"), [("acme", 1), ("other", 0)])
def test_decide_late_keeps_or_drops(recordings: Path, tenant: str, kept: int) -> None:
    """The application says who asks when it knows."""
    said: list[Decision] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        said.append(decide_late(tenant=tenant))
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    client = Client(RetraceMiddleware(app, decide=Late(of_tenant), service="shop"))
    assert client.get("/", buffered=True).data == b"ab"
    assert [one.reason for one in said] == [f"tenant {tenant}"]
    assert len(files(recordings)) == kept


def test_without_decide_late_nothing_is_kept(recordings: Path) -> None:
    """A request that ends before anyone is known is dropped."""
    client = Client(RetraceMiddleware(status_of_path, decide=Late(of_tenant), service="shop"))
    client.get("/200", buffered=True)
    assert not files(recordings)


def test_a_late_no_does_not_overrule_a_failure(recordings: Path) -> None:
    """Beside another tail decision the recording goes on to the end."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        decide_late(tenant="other")
        return status_of_path(environ, start_response)

    decide = any_of(Late(of_tenant), tail)
    Client(RetraceMiddleware(app, decide=decide, service="shop")).get("/500", buffered=True)
    (file,) = files(recordings)
    assert load(file).header.decision.decider == "keep_failed"


def test_after_a_late_no_the_trace_is_handed_on_as_unrecorded(recordings: Path) -> None:
    """The services behind are told not to record, as by any request that is not recorded."""
    carried: list[dict[str, str]] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        decide_late(tenant="other")
        carried.append(requests.get(f"{base}/json", timeout=10).json()["headers"])
        return status_of_path(environ, start_response)

    with origin() as (base, _):
        client = Client(RetraceMiddleware(app, decide=Late(of_tenant), service="shop"))
        client.get("/200", buffered=True)
    sent = {name.lower(): value for name, value in carried[0].items()}
    assert sent["x-retrace"] == "no"
    assert "traceparent" in sent
    assert "x-trace-id" not in sent
    assert not files(recordings)


def test_decide_late_outside_a_recording_does_nothing() -> None:
    """It may be called anywhere, at any time."""
    assert decide_late(tenant="acme").verdict == "no"


def test_a_hook_behind_the_authentication_decides(recordings: Path) -> None:
    """`LateDecisionMiddleware` sees what the middleware before it has found out."""

    def authenticate(app: Any) -> Any:
        def authenticated(environ: Any, start_response: Any) -> Any:
            environ["shop.tenant"] = "acme"
            return app(environ, start_response)

        return authenticated

    hook = LateDecisionMiddleware(
        status_of_path, facts=lambda request: {"tenant": request.source["shop.tenant"]}
    )
    decide = Late(of_tenant)
    app = RetraceMiddleware(authenticate(hook), decide=decide, service="shop")
    Client(app).get("/200", buffered=True)
    (file,) = files(recordings)
    assert load(file).header.decision.reason == "tenant acme"


def test_late_refuses_what_must_be_awaited() -> None:
    """`decide_late` is a plain call, also in the middle of a handler."""

    async def slow(_: RequestView) -> Decision:
        return Decision("yes")

    with pytest.raises(ConfigurationError, match="answers at once"):
        Late(slow)


def test_an_async_decider_serves_wsgi_too(recordings: Path) -> None:
    """It is awaited, in an event loop of its own."""

    async def slow(_: RequestView) -> Decision:
        return Decision("yes", "asked", "slow")

    decide = all_of(any_of(Never(), slow), Always())
    Client(RetraceMiddleware(status_of_path, decide=decide, service="shop")).get(
        "/200", buffered=True
    )
    (file,) = files(recordings)
    assert load(file).header.decision.reason == "asked"
