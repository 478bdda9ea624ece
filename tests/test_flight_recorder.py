"""The flight recorder: bounded, silent without a trigger, and holding on to nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.test import Client

from retrace_core import ConfigurationError, flight_recorder, load, stats, triggers, writer
from retrace_core.current_scope import active_scope
from retrace_core.flight_recorder import FlightRecorder
from retrace_core.lanes import Lane
from retrace_core.scope import RecordingScope
from retrace_core.settings import resolve
from retrace_core.store import DirectoryStore, open_store
from retrace_core.trace_file import dump, pack, unpack
from retrace_mw import Limits, RetraceMiddleware, flight_recorder_endpoint, save_recent
from retrace_mw.deciders import Always, KeepIfFailed
from tests.trace_file.test_trace_file import draft

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a secret of some length"


class Clock:
    """A clock that tests set."""

    seconds = 0.0

    def __call__(self) -> int:
        """Return the time in nanoseconds."""
        return int(self.seconds * 1e9)


def app(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with the status that the path names."""
    start_response(f"{environ['PATH_INFO'][1:]} X", [("Content-Type", "text/plain")])
    return [b"x"]


@pytest.fixture
def client(recordings: Path) -> Client:
    """Return a client of an application that drops what does not fail, and holds it."""
    wrapped = RetraceMiddleware(
        app, service="shop", decide=KeepIfFailed(), flight_recorder_bytes=1 << 20
    )
    return Client(wrapped)


def files(recordings: Path) -> list[Path]:
    """Return what was written."""
    assert writer.flush()
    return sorted(recordings.glob("*/*/*.bin"))


def test_what_is_packed_comes_back_whole() -> None:
    """The trace file made of it is the same, to the byte."""
    for one in (draft(), draft(path="/\ud800"), draft(size=100_000)):
        assert dump(unpack(pack(one), one.header.environment)) == dump(one)


# -- bounds


SIZES = st.lists(st.integers(0, 20_000), min_size=1, max_size=60)


@given(SIZES, st.integers(1_000, 60_000))
def test_the_bound_in_bytes_holds(sizes: list[int], limit_bytes: int) -> None:
    """Whatever the sizes; and what is there is as large as it says, and the newest."""
    recorder = FlightRecorder(limit_bytes, 1e6)
    for size in sizes:
        one = draft(size=size)
        recorder.hold(one)
        assert recorder.size_bytes <= limit_bytes
        assert recorder.size_bytes == sum(held.size_bytes for held in recorder._ring)
        assert all(sys.getsizeof(held.data) < held.size_bytes for held in recorder._ring)
        if size < limit_bytes - 3_000:
            assert recorder._ring[-1].data == pack(one)


def test_the_bound_counts_all_that_is_allocated() -> None:
    """Measured by the allocator, 500 recordings take what the ring says, or a little less."""
    many = [draft(path=f"/{n}", size=n * 10) for n in range(500)]
    recorder = FlightRecorder(1 << 30, 1e6)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for one in many:
            recorder.hold(one)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.8 * recorder.size_bytes < after - before <= recorder.size_bytes


@given(st.lists(st.floats(0, 20), min_size=1, max_size=40))
def test_the_bound_in_seconds_holds(pauses: list[float]) -> None:
    """What is older than the window is gone, without a newer one that pushes it out."""
    clock = Clock()
    recorder = FlightRecorder(1 << 20, 30.0, clock)
    for pause in pauses:
        recorder.hold(draft())
        clock.seconds += pause
    recorder._tick()
    ages = [clock.seconds - held.held_ns / 1e9 for held in recorder._ring]
    assert all(age <= 30.0 + 1e-6 for age in ages)
    clock.seconds += 31
    recorder._tick()
    assert (len(recorder), recorder.size_bytes) == (0, 0)


def test_a_recording_larger_than_the_bound_is_not_held() -> None:
    """It is counted, and what is there makes no room for it in vain."""
    recorder = FlightRecorder(10_000, 30.0)
    before = stats().get("dropped.flight_recorder_full", 0)
    recorder.hold(draft())
    recorder.hold(draft(size=20_000))
    assert len(recorder) == 1
    assert stats()["dropped.flight_recorder_full"] == before + 1


def test_the_writers_thread_empties_a_ring_that_nobody_fills(recordings: Path) -> None:
    """Without further requests memory is given back within about a second of the window."""
    wrapped = RetraceMiddleware(
        app,
        service="shop",
        decide=KeepIfFailed(),
        flight_recorder_bytes=1 << 20,
        flight_recorder_s=0.1,
    )
    Client(wrapped).get("/200", buffered=True)
    recorder = flight_recorder.recorder()
    assert recorder is not None
    assert recorder.size_bytes > 0
    deadline = time.monotonic() + 20
    while recorder.size_bytes and time.monotonic() < deadline:
        time.sleep(0.05)
    assert recorder.size_bytes == 0


def test_what_was_saved_counts_until_it_is_written(recordings: Path) -> None:
    """A burst of a whole ring neither overruns the writer's queue nor its own bound."""
    store = DirectoryStore(recordings)
    writer.configure(store, queue_bytes=64 * 1024)
    before = stats().get("dropped.queue_full", 0)
    recorder = FlightRecorder(1 << 20, 1e6)
    for n in range(60):
        recorder.hold(draft(path=f"/{n}", size=10_000))
    assert recorder.size_bytes > 9 * 64 * 1024
    assert recorder.save("a burst") == 60
    assert len(files(recordings)) == 60
    assert recorder.size_bytes == 0
    assert stats().get("dropped.queue_full", 0) == before


# -- triggers


def test_it_is_switched_on_and_off_while_running(recordings: Path, tmp_path: Path) -> None:
    """By the settings' file; switched off it forgets what it holds."""
    config = tmp_path / "retrace.toml"
    config.write_text("[retrace]\nflight_recorder_bytes = 0\n")
    wrapped = RetraceMiddleware(
        app, service="shop", decide=KeepIfFailed(), config=os.fspath(config)
    )
    client, held = Client(wrapped), []
    for size in (0, 1 << 20, 0):
        config.write_text(f"[retrace]\nflight_recorder_bytes = {size}\n")
        wrapped._gatekeeper._reload()
        client.get("/200", buffered=True)
        recorder = flight_recorder.recorder()
        held.append(None if recorder is None else len(recorder))
    assert held == [None, 1, None]


def test_nothing_is_written_without_a_trigger(client: Client, recordings: Path) -> None:
    """Not even a folder."""
    for _ in range(20):
        client.get("/200", buffered=True)
    assert writer.flush()
    assert not recordings.exists()


def test_what_a_limit_turns_down_at_the_end_is_not_held(recordings: Path) -> None:
    """It was wanted, and too much: it would push out what nobody has judged by a failure."""
    limits = Limits(per_second=1, per_failure_per_hour=0)
    wrapped = RetraceMiddleware(
        app, service="shop", decide=KeepIfFailed(), limits=limits, flight_recorder_bytes=1 << 20
    )
    before = stats().get("suppressed.per_second", 0)
    for status in (500, 500, 500, 500, 200):
        Client(wrapped).get(f"/{status}", buffered=True)
    assert stats()["suppressed.per_second"] > before
    assert save_recent("an alert") == 1  # the 200


def test_save_recent_saves_what_was_dropped(client: Client, recordings: Path) -> None:
    """Once each, through the writer, with the reason; a replayable recording."""
    for _ in range(3):
        client.get("/200", buffered=True)
    assert save_recent("asked for by the test") == 3
    assert save_recent("again") == 0
    decisions = [load(file).header.decision for file in files(recordings)]
    assert {(one.verdict, one.decider, one.reason) for one in decisions} == {
        ("tail", "flight recorder", "asked for by the test")
    }
    assert len(decisions) == 3


def test_a_saved_recording_is_what_a_kept_one_is(client: Client, recordings: Path) -> None:
    """Environment, request, response and events are all there."""
    client.get("/200", buffered=True)
    client.get("/500", buffered=True)
    save_recent("to compare")
    saved, kept = sorted(map(load, files(recordings)), key=lambda one: one.header.status)
    assert saved.header.environment == kept.header.environment
    assert saved.response is not None
    assert saved.response.body == [b"x"]
    assert saved.request.path == "/200"


def test_one_trace_can_be_saved(client: Client, recordings: Path) -> None:
    """By its id, or its X-Trace-ID as given; and what of it ends a little later, too."""
    for name in ("order-1", "order-2", "order-1"):
        client.get("/200", headers={"X-Trace-ID": name}, buffered=True)
    assert save_recent("order 1 complained", trace_id="order-1") == 2
    client.get("/200", headers={"X-Trace-ID": "order-1"}, buffered=True)
    client.get("/200", headers={"X-Trace-ID": "order-3"}, buffered=True)
    assert {file.parts[-3] for file in files(recordings)} == {"order-1"}
    assert len(files(recordings)) == 3


def test_the_last_seconds_can_be_saved() -> None:
    """What ended before them stays in the ring."""
    clock = Clock()
    recorder = FlightRecorder(1 << 20, 30.0, clock)
    for _ in range(10):
        recorder.hold(draft())
        clock.seconds += 1
    recorder.save("the last three seconds", last_s=3)
    assert len(recorder) == 7


def test_a_trace_is_wanted_for_the_window_only(recordings: Path) -> None:
    """Counted from the trigger, however often recordings of it come."""
    writer.configure(DirectoryStore(recordings), queue_bytes=1 << 20)
    clock = Clock()
    recorder = FlightRecorder(1 << 20, 30.0, clock)
    recorder.save("asked", trace_id="a" * 32)
    left = []
    for clock.seconds in (0, 20, 29, 31):
        recorder.hold(draft())
        left.append(len(recorder))
    assert left == [0, 0, 0, 1]
    assert len(files(recordings)) == 3


@pytest.mark.parametrize("trace_id", ["../x", "", "a" * 200, "a/b", ".keep"])
def test_an_unsafe_trace_id_saves_nothing(client: Client, recordings: Path, trace_id: str) -> None:
    """Neither does the empty one, which is no trace."""
    client.get("/200", buffered=True)
    assert save_recent("hostile", trace_id=trace_id) == 0


def test_without_a_flight_recorder_nothing_is_saved(recordings: Path) -> None:
    """It is off by default, and the call is harmless."""
    wrapped = RetraceMiddleware(app, service="shop", decide=KeepIfFailed())
    Client(wrapped).get("/200", buffered=True)
    assert flight_recorder.recorder() is None
    assert save_recent("nothing there") == 0


@pytest.mark.parametrize("text", ["crush", "SIGKILL", "SIGTERM", "SIG_DFL", "USR2", "crash exits"])
def test_a_trigger_that_is_none_is_refused(text: str) -> None:
    """At start, with what is allowed."""
    with pytest.raises(ConfigurationError, match="SIGUSR2"):
        resolve({"flight_recorder_triggers": text})


PROGRAM = """
import os, signal, sys, threading, time
os.environ.update(RETRACE="1", RETRACE_RECORDING_PATH=sys.argv[1])
from retrace_mw import RetraceMiddleware, save_recent
from retrace_core import writer
from retrace_mw.deciders import Always, KeepIfFailed
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"x"]
def start(triggers):
    global wrapped
    wrapped = RetraceMiddleware(app, service="shop", decide=KeepIfFailed(),
        flight_recorder_bytes=1 << 20, flight_recorder_triggers=triggers)
def request():
    chunks = wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    list(chunks); chunks.close()
def written(n):
    from retrace_core import stats
    end = time.monotonic() + 20
    while stats().get("written", 0) < n and time.monotonic() < end:
        time.sleep(0.01)
"""


WITH_BOOT_TAPE = "os.environ['RETRACE_BOOT_TAPE'] = '1'\n"


def run(tmp_path: Path, code: str) -> tuple[int, list[str], str]:
    """Run a small program; return its exit status, the reasons it left, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + code, str(tmp_path)],
        timeout=60,
        capture_output=True,
        text=True,
    )
    headers = [load(path).header for path in tmp_path.glob("*/shop/trace.bin")]
    return done.returncode, [one.decision.reason for one in headers], done.stdout + done.stderr


def test_a_crash_saves(tmp_path: Path) -> None:
    """An exception that ends the process; the hook that was there before is called."""
    code = (
        "sys.excepthook = lambda *_: print('before')\n"
        "start('crash')\nrequest(); request()\nraise LookupError('x')"
    )
    status, reasons, output = run(tmp_path, code)
    assert (status, reasons) == (1, ["crash: builtins.LookupError"] * 2)
    assert output == "before\n"


def test_a_crashed_thread_saves(tmp_path: Path) -> None:
    """The process goes on."""
    code = (
        "start('crash')\nrequest()\n"
        "def fail(): raise LookupError('x')\n"
        "one = threading.Thread(target=fail); one.start(); one.join(); request()"
    )
    status, reasons, output = run(tmp_path, code)
    assert (status, reasons) == (0, ["crash: builtins.LookupError"])
    assert "LookupError: x" in output


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "raise KeyboardInterrupt", "pass"])
def test_an_ordinary_end_saves_nothing(tmp_path: Path, code: str) -> None:
    """Neither exit, nor Ctrl-C, nor the end of the program is a crash."""
    assert run(tmp_path, f"{WITH_BOOT_TAPE}start('crash')\nrequest()\n{code}")[1] == []
    assert not list(tmp_path.iterdir())  # no boot tape either: nothing refers to it


@pytest.mark.parametrize(
    ("code", "status"),
    [("pass", 0), ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM)],
    ids=["end", "SIGTERM"],
)
def test_the_end_of_the_process_saves_when_asked_to(tmp_path: Path, code: str, status: int) -> None:
    """At exit, and on a SIGTERM that nobody else handles."""
    found = run(tmp_path, f"{WITH_BOOT_TAPE}start('exit')\nrequest(); request()\n{code}")
    assert found[:2] == (status, ["the process ended"] * 2)
    assert len(list(tmp_path.glob("boot-*/shop/boot.bin"))) == 1


def test_a_signal_saves(tmp_path: Path) -> None:
    """On another thread than its handler's; the handler that was there before is called."""
    code = (
        "signal.signal(signal.SIGUSR2, lambda *_: print('before'))\nstart('SIGUSR2, crash')\n"
        "request()\nos.kill(os.getpid(), signal.SIGUSR2)\nwritten(1)"
    )
    assert run(tmp_path, code) == (0, ["signal SIGUSR2"], "before\n")


def test_a_signal_in_the_middle_of_holding_does_not_deadlock(tmp_path: Path) -> None:
    """It comes while the main thread has the recorder's lock."""
    code = (
        "start('SIGUSR2')\nrequest()\nfrom retrace_core import flight_recorder\n"
        "with flight_recorder.recorder()._lock:\n    os.kill(os.getpid(), signal.SIGUSR2)\n"
        "    time.sleep(0.01)\nwritten(1)"
    )
    assert run(tmp_path, code)[:2] == (0, ["signal SIGUSR2"])


def test_a_server_that_resets_signals_in_its_workers(tmp_path: Path) -> None:
    """As gunicorn does with preloaded applications: the worker's first request sets it again."""
    code = (
        "start('SIGUSR2')\nif os.fork() == 0:\n"
        "    signal.signal(signal.SIGUSR2, signal.SIG_DFL)\n    request()\n"
        "    os.kill(os.getpid(), signal.SIGUSR2)\n    written(1)\n    sys.exit(0)\n"
        "assert os.wait()[1] == 0"
    )
    assert run(tmp_path, code)[:2] == (0, ["signal SIGUSR2"])


def test_a_fork_starts_with_an_empty_ring(tmp_path: Path) -> None:
    """The parent's recordings are saved by the parent, once."""
    code = (
        "start('')\nrequest(); request()\nif os.fork() == 0:\n"
        "    assert save_recent('child') == 0\n    request()\n"
        "    assert save_recent('child') == 1\n    sys.exit(0)\n"
        "assert os.wait()[1] == 0\nassert save_recent('parent') == 2"
    )
    status, reasons, output = run(tmp_path, code)
    assert (status, sorted(reasons)) == (0, ["child", "parent", "parent"]), output


def test_triggers_are_taken_out_again() -> None:
    """What was there before is back."""
    before = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)
    triggers.install(("crash", "SIGUSR2"), lambda reason: None)
    assert sys.excepthook is not before[0]
    triggers.uninstall()
    assert (sys.excepthook, threading.excepthook) == before[:2]
    assert signal.getsignal(signal.SIGUSR2) == before[2]


def test_triggers_can_be_changed() -> None:
    """As when the settings are read again: only the new ones fire."""
    fired: list[str] = []
    triggers.install(("crash", "SIGUSR2"), fired.append)
    hook = threading.excepthook  # somebody who took hold of ours, and calls it
    triggers.install(("SIGUSR1",), fired.append)
    hook(threading.ExceptHookArgs((SystemExit, SystemExit(), None, None)))
    assert fired == []
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL


def test_what_comes_in_the_middle_of_it_is_turned_away() -> None:
    """A handler or a finaliser on the thread that is at work in it: no deadlock, no mess."""
    recorder = FlightRecorder(1 << 20, 30.0)
    recorder.hold(draft())
    assert recorder._enter()
    before = stats().get("dropped.flight_recorder_busy", 0)
    recorder.hold(draft())
    assert recorder.save("in the middle") == 0
    recorder._leave()
    assert stats()["dropped.flight_recorder_busy"] == before + 2
    assert len(recorder) == 1


# -- what it holds on to


class Tracked:
    """An object of the application's that can be watched."""


def recording_objects() -> set[int]:
    """Return the ids of all scopes and lanes that are alive."""
    gc.collect()
    return {id(one) for one in gc.get_objects() if type(one) in (RecordingScope, Lane)}


def test_the_ring_keeps_nothing_of_the_application_alive(recordings: Path) -> None:
    """No request, lane, scope, frame or exception lives on in it."""
    watched: list[weakref.ref[Any]] = []
    before = recording_objects()

    def failing(environ: Any, start_response: Any) -> list[bytes]:
        local = Tracked()
        environ["shop.local"] = local
        scope: Any = active_scope()
        watched.append(weakref.ref(local))
        start_response("200 OK", [])
        try:
            raise LookupError(local)
        except LookupError as error:
            scope.handled(error)
        return [b"x"]

    wrapped = RetraceMiddleware(
        failing,
        service="shop",
        decide=KeepIfFailed(logged=False),
        flight_recorder_bytes=1 << 20,
    )
    Client(wrapped).get("/", buffered=True)
    recorder = flight_recorder.recorder()
    assert recorder is not None
    assert len(recorder) == 1
    gc.collect()
    assert [ref() for ref in watched] == [None]
    assert recording_objects() <= before


def test_what_can_not_fit_is_not_made(recordings: Path) -> None:
    """A recording larger than the ring is not even packed."""
    made: list[int] = []
    flight_recorder.configure(
        resolve({"flight_recorder_bytes": 1000}), open_store(os.fspath(recordings))
    )

    def make() -> Any:
        made.append(1)
        return draft()

    assert not flight_recorder.hold(make, 1001)
    assert not made


# -- the webhook


def post(protocol: str, path: str = "", secret: str = SECRET, method: str = "POST") -> Any:
    """Send one request to the endpoint; return (status, body)."""
    endpoint = flight_recorder_endpoint(SECRET)
    headers = {"X-Retrace-Secret": secret}
    if protocol == "wsgi":
        answer = Client(endpoint.wsgi).open(f"/{path}", method=method, headers=headers)
        return answer.status_code, answer.get_json()

    async def main() -> Any:
        mounted = Starlette(routes=[Mount("/retrace", app=endpoint.asgi)])
        transport = httpx.ASGITransport(mounted)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as asking:
            reply = await asking.request(method, f"/retrace/{path}", headers=headers)
        return reply.status_code, reply.json()

    return asyncio.run(main())


@pytest.mark.parametrize("protocol", ["asgi", "wsgi"])
def test_a_webhook_saves(client: Client, recordings: Path, protocol: str) -> None:
    """With the secret; the reason is in the recording, without what can't be printed."""
    client.get("/200", buffered=True)
    assert post(protocol, "?reason=too+many%0A5xx&last_s=20") == (200, {"saved": 1})
    (file,) = files(recordings)
    assert load(file).header.decision.reason == "webhook: too many5xx"


@pytest.mark.parametrize("protocol", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"secret": ""}, 403),
        ({"secret": SECRET[:-1]}, 403),
        ({"secret": SECRET.upper()}, 403),
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"path": "?last_s=soon"}, 400),
        ({"path": "?last_s=-1"}, 400),
        ({"path": "?last_s=nan"}, 400),
    ],
)
def test_a_webhook_refuses(
    client: Client, recordings: Path, protocol: str, asked: Any, status: int
) -> None:
    """And nothing is saved."""
    client.get("/200", buffered=True)
    assert post(protocol, **asked)[0] == status
    assert not files(recordings)


def test_the_webhooks_own_requests_are_not_recorded(recordings: Path) -> None:
    """Whatever the decider says: the secret would be in the recording."""
    endpoint = flight_recorder_endpoint(SECRET)
    wrapped = RetraceMiddleware(
        endpoint.wsgi, service="shop", decide=Always(), flight_recorder_bytes=1 << 20
    )
    headers = {"X-Retrace-Secret": SECRET}
    for _ in range(2):
        answer = Client(wrapped).post("/", headers=headers, buffered=True)
        assert answer.get_json() == {"saved": 0}
    assert not files(recordings)
    assert wrapped._gatekeeper.policy().limiter.running == 0


def test_a_short_secret_is_refused() -> None:
    """It could be guessed."""
    with pytest.raises(ConfigurationError, match="16 characters"):
        flight_recorder_endpoint("short")


def test_a_secret_of_any_bytes_is_compared() -> None:
    """A header that is no ASCII is wrong, and no error."""
    said: list[str] = []
    environ = {"REQUEST_METHOD": "POST", "HTTP_X_RETRACE_SECRET": "\u00e9" * 20}
    endpoint = flight_recorder_endpoint(SECRET)
    list(endpoint.wsgi(environ, lambda status, headers: said.append(status)))
    assert said == ["403 Forbidden"]


def test_threads_may_hold_and_save_at_once(recordings: Path) -> None:
    """Each recording is saved once, and the account comes out even."""
    writer.configure(DirectoryStore(recordings), queue_bytes=1 << 20)
    recorder = FlightRecorder(1 << 22, 1e6)
    one = draft()
    saved: list[int] = []

    def hold() -> None:
        for _ in range(100):
            recorder.hold(one)

    def save() -> None:
        for _ in range(20):
            saved.append(recorder.save("at once"))

    threads = [threading.Thread(target=target) for target in (hold, save) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    saved.append(recorder.save("the rest"))
    assert sum(saved) == 300
    assert writer.flush(20)
    assert (len(recorder), recorder.size_bytes) == (0, 0)
