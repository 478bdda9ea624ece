"""Limits: each stops recording by itself, is counted by reason, and harms no request."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from retrace_core import ConfigurationError, stats, writer
from retrace_core.recording import Failure, Frame
from retrace_core.setting_rows.limit_settings import LIMIT_SETTINGS
from retrace_core.settings import resolve
from retrace_core.stats import count
from retrace_mw import Decision, FinishedRequest, Limits, RequestView, RetraceMiddleware
from retrace_mw.deciders import Always
from retrace_mw.disk_guard import DiskGuard
from retrace_mw.limiter import Limiter, route_of
from retrace_mw.limits import limits_of
from retrace_mw.overhead import OverheadGuard, event_s
from retrace_mw.policy import make_policy
from retrace_mw.token_bucket import TokenBucket
from retrace_mw.window import KeyedCap, SlidingCount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

YES = Decision("yes", "always", "test")
TAIL = Decision("tail", "at the end", "test")


class Clock:
    """Seconds that a test lets go by."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def request(path: str = "/") -> RequestView:
    """Return a request."""
    return RequestView({"method": "GET", "path": path, "headers": []}, asgi=True)


def finished(path: str = "/", *, place: int = 0) -> FinishedRequest:
    """Return a request that has ended; with a place, it failed there."""
    failure = Failure("builtins.ValueError", "x", [Frame("shop.py", place, "f")]) if place else None
    return FinishedRequest(request(path), 500 if place else 200, (), failure, 0.1, True)


def only(**limits: Any) -> Limits:
    """Return limits of which only those given are on."""
    return Limits(**{**{name: 0 for name in Limits.__slots__}, **limits})


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands."""
    return Clock()


def suppressed(reason: str, act: Callable[[], object]) -> int:
    """Return how often a reason was counted during an act."""
    before = stats().get(f"suppressed.{reason}", 0)
    act()
    return stats().get(f"suppressed.{reason}", 0) - before


def test_a_rate_allows_a_short_burst(clock: Clock) -> None:
    """Two seconds' worth at once, then as time goes by."""
    limiter = Limiter(only(per_second=2), clock=clock)
    assert [limiter.admits(request(), YES) for _ in range(5)] == [True] * 4 + [False]
    clock.now = 1.0
    assert suppressed("per_second", lambda: [limiter.admits(request(), YES) for _ in range(3)]) == 1


@given(st.lists(st.floats(0, 10), max_size=60), st.floats(0.1, 20))
def test_a_bucket_never_gives_more_than_its_rate(pauses: list[float], per_s: float) -> None:
    """Over any time: the burst, and the rate times the time."""
    clock = Clock()
    bucket, taken = TokenBucket(per_s=per_s, burst_s=2, clock=clock), 0
    for pause in pauses:
        clock.now += pause
        taken += bucket.take()
    assert taken <= max(1.0, 2 * per_s) + per_s * clock.now + 1e-6


def test_at_once_counts_what_runs(clock: Clock) -> None:
    """A recording that has ended makes room for another, provisional ones too."""
    limiter = Limiter(only(at_once=1), clock=clock)
    assert limiter.admits(request(), TAIL)
    assert suppressed("at_once", lambda: limiter.admits(request(), TAIL)) == 1
    limiter.ended()
    assert limiter.admits(request(), TAIL)


def offer(limiter: Limiter, requests: int, clock: Clock, seconds: float = 0.0) -> int:
    """Offer requests, evenly over a time; return how many were recorded."""
    admitted = 0
    for _ in range(requests):
        clock.now += seconds / requests
        limiter.seen += 1
        if limiter.admits(request(), YES):
            admitted += 1
            limiter.ended()
    return admitted


def test_a_few_requests_may_all_be_recorded(clock: Clock) -> None:
    """A developer's requests, and a quiet service's, never trip the share."""
    limiter = Limiter(only(share=0.3), clock=clock)
    assert offer(limiter, 499, clock, 59) == 499
    assert offer(Limiter(only(share=0.3), clock=clock), 3600, clock, 3600) == 3600


def test_the_share_has_a_ceiling(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Of many requests, 30 % are recorded; it warns once per minute, with what to do."""
    limiter = Limiter(only(share=0.3), clock=clock)
    with caplog.at_level(logging.WARNING, "retrace"):
        offer(limiter, 60_000, clock, 60)
        assert 17_900 < offer(limiter, 60_000, clock, 60) < 18_100
    said = [one for one in caplog.records if "30%" in one.getMessage()]
    assert 1 <= len(said) <= 2
    assert "raise the limit share" in said[0].getMessage()


def test_requests_that_are_not_recorded_count_for_the_share(clock: Clock) -> None:
    """Half of them drawn, a share of 0.6: nothing is suppressed."""
    limiter = Limiter(only(share=0.6), clock=clock)
    for number in range(3000):
        limiter.seen += 1
        if number % 2:
            assert limiter.admits(request(), YES)
            limiter.ended()


def test_bytes_per_hour_are_what_the_writer_wrote(clock: Clock) -> None:
    """No estimate: it stops after they are on disk, and goes on when the hour is over."""
    limiter = Limiter(only(bytes_per_hour=1000), clock=clock)
    assert limiter.admits(request(), YES)
    count("written_bytes", 1000)
    assert suppressed("bytes_per_hour", lambda: limiter.admits(request(), YES)) == 1
    clock.now = 3600.0
    assert limiter.admits(request(), YES)


def test_one_hot_route_leaves_room_for_others(clock: Clock) -> None:
    """Each route has a minute's cap of its own; ids in a path make no new route."""
    limiter = Limiter(only(per_route_per_minute=2), clock=clock)
    hot = [limiter.admits(request(f"/orders/{number}"), YES) for number in range(3)]
    assert hot == [True, True, False]
    assert limiter.admits(request("/carts/1"), YES)
    clock.now = 60.0
    assert limiter.admits(request("/orders/9"), YES)


def test_a_large_cap_of_a_route_is_kept_without_asking_the_router(clock: Clock) -> None:
    """What is served takes its route into account at its end; none is kept beyond the cap."""
    limiter = Limiter(only(per_route_per_minute=100), clock=clock)
    for number in range(100):
        asked = request(f"/orders/{number}")
        assert limiter.admits(asked, YES)
        assert not asked.counted
        limiter.ended(kept=asked)
    assert suppressed("per_route", lambda: limiter.admits(request("/orders/7"), YES)) == 1
    another = request("/carts/1")
    assert limiter.admits(another, YES)
    assert another.counted
    clock.now = 60.0
    assert limiter.admits(request("/orders/9"), YES)


def test_requests_at_once_count_towards_a_large_cap(clock: Clock) -> None:
    """Those that run may all be of one route: from there on each is asked for its own."""
    limiter = Limiter(only(per_route_per_minute=100), clock=clock)
    running = [request("/orders/7") for _ in range(110)]
    assert all(limiter.admits(one, YES) for one in running)
    assert [one.counted for one in running] == [False] * 100 + [True] * 10
    for one in running:
        limiter.ended(kept=one)
    assert not limiter.admits(request("/orders/7"), YES)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "GET /"),
        ("/orders/17", "GET /orders/*"),
        ("/orders/17/items/4", "GET /orders/*/items/*"),
        ("/v2/users", "GET /v2/users"),
        ("/o/9f1c2d3e-4b5a-6789-abcd-ef0123456789", "GET /o/*"),
        ("/o/4bf92f3577b34da6a3ce929d0e0e4736/x", "GET /o/*/x"),
    ],
)
def test_a_path_without_its_ids_is_a_route(path: str, route: str) -> None:
    """Where the framework does not tell the pattern."""
    assert route_of(request(path)) == route


def test_the_first_of_each_failure_is_kept_always(clock: Clock) -> None:
    """Then so many an hour; another place is another failure."""
    limiter = Limiter(only(per_failure_per_hour=2, per_second=1), clock=clock)
    while not limiter.suppresses(finished(), TAIL):
        pass  # until the rate is used up
    assert not limiter.suppresses(finished(place=7), TAIL)
    assert not limiter.suppresses(finished(place=8), TAIL)
    assert suppressed("per_second", lambda: limiter.suppresses(finished(place=8), TAIL)) == 1
    clock.now = 10.0
    assert not limiter.suppresses(finished(place=8), TAIL)
    assert suppressed("per_failure", lambda: limiter.suppresses(finished(place=8), TAIL)) == 1
    clock.now = 3600.0
    assert not limiter.suppresses(finished(place=8), TAIL)


def test_a_failure_cap_holds_for_a_yes_too(recordings: Path) -> None:
    """A storm of one exception is not recorded for ever, whoever decided."""

    def broken(environ: Any, start_response: Any) -> Any:
        raise ValueError("broken")

    app = RetraceMiddleware(
        broken, decide=Always(), limits=only(per_failure_per_hour=2), service="shop"
    )
    for _ in range(5):
        with pytest.raises(ValueError, match="broken"):
            Client(app).get("/")
    assert writer.flush()
    assert len(list(recordings.glob("*/*/*.bin"))) == 2


def test_a_tail_decision_takes_of_the_account_only_when_it_keeps(clock: Clock) -> None:
    """What is dropped at the end costs neither rate nor share."""
    limiter = Limiter(only(per_second=1), clock=clock)
    for _ in range(10):
        assert limiter.admits(request(), TAIL)
        limiter.ended()
    assert [limiter.suppresses(finished(), TAIL) for _ in range(3)] == [False, False, True]


def test_a_full_disk_stops_recording(tmp_path: Path, clock: Clock) -> None:
    """Also one that is not quite full, and a folder that holds enough."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "trace.bin").write_bytes(b"x" * 500)
    roomy = DiskGuard(str(tmp_path), free_bytes=1, used_bytes=1000, clock=clock)
    roomy.look()
    assert roomy.full() == ""
    count("written_bytes", 500)
    assert roomy.full() == "disk_used"
    small = DiskGuard(str(tmp_path / "not" / "there"), free_bytes=1 << 60, used_bytes=0)
    small.look()
    assert small.full() == "disk_free"


def test_the_disk_is_looked_at_on_another_thread(tmp_path: Path) -> None:
    """No request waits for it; one that comes after it knows."""
    guard = DiskGuard(str(tmp_path), free_bytes=1 << 60, used_bytes=0)
    guard.full()
    thread = guard._thread
    assert thread is not None
    assert thread is not threading.current_thread()
    thread.join(10)
    assert guard.full() == "disk_free"


def test_too_much_cost_pauses_and_the_pause_ends(clock: Clock) -> None:
    """With nothing saved, twice the budget in ten seconds: ten of pause, then it begins anew."""
    process, writing = Clock(), Clock()
    guard = OverheadGuard(
        0.05, clock=clock, process_s=process, writer_s=writing, probe_s=lambda: 1e-6
    )
    guard._saved_s = 0.0
    clock.now, process.now, writing.now = 10.0, 8.0, 0.8
    assert guard.pauses()
    assert guard.share == pytest.approx(0.1)
    clock.now = 19.9
    assert guard.pauses()
    clock.now = 20.1
    assert not guard.pauses()
    clock.now, process.now = 31.0, 20.0
    assert not guard.pauses()


def test_a_minute_of_the_budget_may_be_spent_at_once(clock: Clock) -> None:
    """Who tries a service out has all requests recorded; a service that goes on so pauses."""
    process, writing = Clock(), Clock()
    guard = OverheadGuard(
        0.05, clock=clock, process_s=process, writer_s=writing, probe_s=lambda: 1e-6
    )
    paused: list[bool] = []
    for _ in range(4):  # a second more than allowed, each time
        clock.now += 10.0
        process.now += 10.0
        writing.now += 1.5
        paused.append(guard.pauses())
    assert paused == [False, False, False, True]


def test_what_was_saved_is_never_more_than_a_minute_of_the_budget(clock: Clock) -> None:
    """A quiet day allows no busy hour."""
    process, writing = Clock(), Clock()
    guard = OverheadGuard(
        0.05, clock=clock, process_s=process, writer_s=writing, probe_s=lambda: 1e-6
    )
    for _ in range(100):
        clock.now += 10.0
        process.now += 10.0
        assert not guard.pauses()
    clock.now += 10.0
    process.now += 10.0
    writing.now += 4.0
    assert guard.pauses()


def test_events_and_requests_are_part_of_the_cost(clock: Clock) -> None:
    """What is not measured is counted and multiplied."""
    process = Clock()
    guard = OverheadGuard(
        0.05, clock=clock, process_s=process, writer_s=lambda: 0.0, probe_s=lambda: 1e-6
    )
    for _ in range(1000):
        guard.add(events=10_000)
    clock.now = process.now = 10.0
    assert guard.pauses()
    assert guard.share > 0.05
    assert 1e-9 < event_s() < 1e-2


def test_an_idle_process_is_not_paused(clock: Clock) -> None:
    """A few recordings are most of what it does, and yet next to nothing."""
    process = Clock()
    guard = OverheadGuard(0.05, clock=clock, process_s=process, writer_s=process)
    clock.now, process.now = 10.0, 0.1
    assert not guard.pauses()
    assert guard.share > 0.9


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 9)), max_size=50))
def test_a_sliding_count_is_of_the_last_while(steps: list[tuple[float, int]]) -> None:
    """All that is younger than eleven twelfths of the span, nothing that is older than it."""
    window, now, added = SlidingCount(60.0), 0.0, []
    for pause, amount in steps:
        now += pause
        added.append((now, amount))
        total = window.add(amount, now)
        surely = sum(n for at, n in added if now - at < 55.0 - 1e-6)
        perhaps = sum(n for at, n in added if now - at < 60.0 + 1e-6)
        assert surely <= total <= perhaps


def test_a_cap_by_key_is_bounded_in_memory() -> None:
    """A thousand keys are remembered, the ones used last."""
    cap = KeyedCap(1, 60.0)
    for number in range(1500):
        cap.add(number, 0.0)
    assert len(cap) == 1000
    assert not cap.has_room(1499, 1.0)
    assert cap.has_room(0, 1.0)


def test_settings_and_code_name_the_same_limits() -> None:
    """Same names, same defaults."""
    assert [f"limits_{name}" for name in Limits.__slots__] == [one.name for one in LIMIT_SETTINGS]
    assert limits_of(resolve({}, {})) == Limits()


@pytest.mark.parametrize("name", Limits.__slots__)
@pytest.mark.parametrize("value", [-1, "many", True, None, float("nan")])
def test_a_wrong_limit_is_refused_at_start(name: str, value: object) -> None:
    """The message names it and says what is allowed."""
    with pytest.raises(ConfigurationError, match=f"{name}=.*use a .*number from 0"):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_limits_come_from_the_file_and_the_environment(tmp_path: Path) -> None:
    """The table [retrace.limits], or one variable for each."""
    file = tmp_path / "retrace.toml"
    file.write_text("[retrace]\nsample_rate = 0.1\n[retrace.limits]\nshare = 0.5\nat_once = 3\n")
    environ = {"RETRACE_CONFIG": str(file), "RETRACE_LIMITS_AT_ONCE": "7"}
    found = limits_of(resolve({}, environ))
    assert found == Limits(share=0.5, at_once=7)


@pytest.mark.parametrize(
    "text",
    [
        "[retrace.limits]\nshare = 1.5",
        "[retrace.limits]\nper_secnd = 1",
        "[retrace]\nlimits = 3",
        "[retrace]\nlimits_share = 0.1\n[retrace.limits]\nshare = 0.2",
    ],
)
def test_wrong_limits_in_a_file_are_refused(tmp_path: Path, text: str) -> None:
    """Out of range, unknown, no table, twice."""
    file = tmp_path / "retrace.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="limits"):
        resolve({}, {"RETRACE_CONFIG": str(file)})


def test_unchanged_limits_go_on_with_their_account(recordings: Path) -> None:
    """Settings that are read again give no one a fresh burst."""
    before = make_policy({}, decide=None, limits=None)
    same = make_policy({"sample_rate": 0.5}, decide=None, limits=None, before=before)
    other = make_policy({"limits_share": 0.5}, decide=None, limits=None, before=before)
    assert same.limiter is before.limiter
    assert other.limiter is not before.limiter
    moved = make_policy({"recording_path": "other"}, decide=None, limits=None, before=before)
    assert moved.limiter.disk.path == os.path.abspath("other")


def test_threads_never_pass_a_limit_together(clock: Clock) -> None:
    """Eight threads at once get no more than there is."""
    limiter = Limiter(only(per_second=50, at_once=70), clock=clock)
    admitted: list[bool] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait(10)
        admitted.extend(limiter.admits(request(), YES) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert sum(admitted) == limiter.running == 70


def test_a_request_that_is_not_recorded_for_a_limit_is_untouched(recordings: Path) -> None:
    """It is answered as if there were no middleware."""

    def hello(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"hello"]

    app = RetraceMiddleware(hello, decide=Always(), limits=only(per_second=1), service="shop")
    answers = [Client(app).get("/", buffered=True) for _ in range(4)]
    assert {answer.data for answer in answers} == {b"hello"}
    assert ["X-Trace-ID" in answer.headers for answer in answers] == [True, True, False, False]
