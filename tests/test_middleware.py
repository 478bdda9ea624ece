"""The middleware: transparent when off, recording when it should, never in the way."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from werkzeug.test import Client, EnvironBuilder

from retrace_core import ConfigurationError, load, stats, writer
from retrace_core.ids import safe_folder
from retrace_core.native import LANE
from retrace_mw import Decision, RequestView, RetraceMiddleware, all_of, any_of, first_of, wsgi
from retrace_mw.deciders import Always, Never, SampleRate, TraceHeader
from retrace_mw.traceparent import parse_traceparent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def hello(environ: Any, start_response: Any) -> Iterator[bytes]:
    """A WSGI application that streams what it was sent."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"hello "
    yield body


async def hello_asgi(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that answers with the body."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def test_off_is_a_straight_pass_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without RETRACE nothing is recorded and nothing installed."""
    monkeypatch.delenv("RETRACE", raising=False)
    monkeypatch.setenv("RETRACE_RECORDING_PATH", str(tmp_path / "r"))
    answer = Client(RetraceMiddleware(hello, sample_rate=1.0)).post("/", data=b"x", buffered=True)
    assert answer.data == b"hello x"
    assert "X-Trace-ID" not in answer.headers
    assert not (tmp_path / "r").exists()


def test_a_recorded_wsgi_request_is_kept_and_named(recordings: Path) -> None:
    """Body, status and decision are in the recording; the response carries its trace id."""
    app = validator(wsgi.RetraceMiddleware(validator(hello), service="shop"))
    answer = Client(app).post("/a?b=c", data=b"xyz", buffered=True)
    assert answer.data == b"hello xyz"
    assert writer.flush()
    recording = load(recordings / answer.headers["X-Trace-ID"] / "shop" / "trace.bin")
    assert recording.request.body == [b"xyz"]
    assert recording.request.query == b"b=c"
    assert recording.response is not None
    assert recording.response.body == [b"hello ", b"xyz"]
    assert recording.response.complete
    assert recording.header.decision.decider == "SampleRate"


def test_a_server_that_never_closes_loses_nothing(recordings: Path) -> None:
    """PEP 3333 asks servers to call close(); the recording does not depend on it."""
    environ = EnvironBuilder().get_environ()
    chunks = RetraceMiddleware(hello, service="shop")(environ, lambda *_: None)
    assert list(chunks) == [b"hello ", b""]
    del chunks
    assert writer.flush()
    (file,) = recordings.glob("*/shop/trace.bin")
    response = load(file).response
    assert response is not None
    assert response.complete


def test_a_client_that_goes_away_is_noted(recordings: Path) -> None:
    """A response that is closed early is incomplete, with what had been taken."""
    app = RetraceMiddleware(hello, service="shop")
    chunks = app({"REQUEST_METHOD": "GET", "wsgi.input": _Empty()}, lambda *_: print)
    assert next(iter(chunks)) == b"hello "
    chunks.close()
    assert writer.flush()
    recording = load(next(recordings.glob("*/*/*.bin")))
    assert recording.response is not None
    assert not recording.response.complete
    assert recording.response.chunks == 1


class _Empty:
    def read(self, *_: int) -> bytes:
        return b""


@pytest.mark.parametrize("name", ["readinto", "read1"])
@pytest.mark.usefixtures("recordings")
def test_the_body_has_the_methods_that_the_servers_stream_has(name: str) -> None:
    """gunicorn's stream has no `readinto`, and Werkzeug looks whether it has before it calls it."""
    had: list[bool] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        had.append(hasattr(environ["wsgi.input"], name))
        return hello(environ, start_response)

    for stream in (_Empty(), io.BytesIO(b"xyz")):
        environ = {**EnvironBuilder().get_environ(), "wsgi.input": stream}
        list(RetraceMiddleware(app, service="shop")(environ, lambda *_: None))
    assert had == [False, True]


@pytest.mark.parametrize(
    "ask", [lambda body: body.readinto(bytearray(8)), lambda body: body.read1(8)]
)
def test_a_body_that_is_read_by_other_methods_is_kept(
    recordings: Path, ask: Callable[[Any], Any]
) -> None:
    """Whatever method an application reads by."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        ask(environ["wsgi.input"])
        start_response("200 OK", [])
        return [b"done"]

    environ = {**EnvironBuilder(method="POST", data=b"xyz").get_environ()}
    list(RetraceMiddleware(app, service="shop")(environ, lambda *_: None))
    assert writer.flush()
    assert load(next(recordings.glob("*/*/*.bin"))).request.body == [b"xyz"]


async def call_asgi(app: Any, headers: list[tuple[bytes, bytes]]) -> list[Any]:
    """Send one request; return the messages that came out."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"xyz", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    assert LANE.get() is None
    return sent


def test_a_recorded_asgi_request_is_kept_and_named(recordings: Path) -> None:
    """An incoming X-Trace-ID names the folder, and is the reason to record."""
    app = RetraceMiddleware(hello_asgi, service="api", sample_rate=0.0)
    sent = asyncio.run(call_asgi(app, [(b"x-trace-id", b"order-7")]))
    assert (b"x-trace-id", b"order-7") in sent[0]["headers"]
    assert writer.flush()
    recording = load(recordings / "order-7" / "api" / "trace.bin")
    assert recording.request.body == [b"xyz"]
    assert recording.header.decision.decider == "TraceHeader"


def test_a_request_that_is_not_drawn_passes_through(recordings: Path) -> None:
    """At rate 0 nothing is kept and nothing added."""
    sent = asyncio.run(call_asgi(RetraceMiddleware(hello_asgi, sample_rate=0), []))
    assert sent[0]["headers"] == []
    assert not recordings.exists()


def test_twice_wrapped_is_recorded_once(recordings: Path) -> None:
    """The inner middleware stands aside."""
    app = RetraceMiddleware(RetraceMiddleware(hello, service="shop"), service="shop")
    Client(app).get("/", buffered=True)
    assert writer.flush()
    assert len(list(recordings.glob("*/*/*.bin"))) == 1


HOSTILE = (
    "../../etc/passwd",
    "..%2f..%2fetc",
    "a" * 129,
    "a\0b",
    "/abs",
    "..",
    "é",
    "a b",
    "",
    ".x",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_trace_id_never_touches_a_path(recordings: Path, value: str) -> None:
    """An unsafe X-Trace-ID gives a fresh trace; the given one is kept as data."""
    app = RetraceMiddleware(hello_asgi, service="api")
    asyncio.run(call_asgi(app, [(b"x-trace-id", value.encode("latin-1"))]))
    assert writer.flush()
    (folder,) = recordings.iterdir()
    assert len(folder.name) == 32
    recording = load(folder / "api" / "trace.bin")
    assert recording.header.given_trace_id == value


@given(st.text(max_size=200))
def test_what_is_a_safe_folder_is_one_path_part(text: str) -> None:
    """Nothing that could leave a folder, or hide in one, is called safe."""
    if safe_folder(text):
        assert text.isascii()
        assert "/" not in text
        assert text.strip(".") == text.strip(".").strip()
        assert not text.startswith(".")


def view(*headers: tuple[str, str]) -> RequestView:
    """Return a request with these headers."""
    return RequestView(
        {"headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers]}, asgi=True
    )


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=80))
def test_any_header_gives_a_trace(text: str) -> None:
    """Whatever the headers hold, there is a valid trace id."""
    for headers in ([("traceparent", text)], [("X-Trace-ID", text)], [("X-Trace-ID", text)] * 2):
        trace = view(*headers).trace
        assert len(trace.trace_id) == 32
        assert not trace.folder or safe_folder(trace.folder)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", True),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later", True),
        (f"00-{TRACE}-00f067aa0ba902b7-01-more", False),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", False),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", False),
        ("", False),
    ],
)
def test_traceparent_by_the_specification(value: str, valid: bool) -> None:
    """Valid and invalid headers of the W3C's rules."""
    assert (parse_traceparent(value) is not None) is valid


def test_sampling_is_consistent_over_services() -> None:
    """The traces of the lower rate are a subset of those of the higher one."""
    low, high, drawn = SampleRate(0.1), SampleRate(0.3), [0, 0]
    for _ in range(20_000):
        request = view()
        first, second = low(request).verdict == "yes", high(request).verdict == "yes"
        assert second or not first
        drawn = [drawn[0] + first, drawn[1] + second]
    assert 1800 < drawn[0] < 2200
    assert 5700 < drawn[1] < 6300


def test_the_trace_header_has_a_limit() -> None:
    """More than its share per second is refused and counted."""
    decide = TraceHeader(per_s=1, clock=lambda: 0.0)
    verdicts = [decide(view(("X-Trace-ID", "a"))).verdict for _ in range(4)]
    assert verdicts == ["yes", "yes", "no", "no"]
    assert stats()["suppressed.trace_header"] >= 2


def test_deciders_are_put_together() -> None:
    """any_of takes the strongest verdict, all_of the weakest, first_of the first."""

    def tail(_: RequestView) -> Decision:
        return Decision("tail", "at the end", "tail")

    assert any_of(Never(), tail, Always())(view()).verdict == "yes"
    assert all_of(Always(), tail)(view()).verdict == "tail"
    assert first_of(Never(), tail, Always())(view()).verdict == "tail"
    assert "Never" in repr(any_of(Never(), Always()))


@pytest.mark.parametrize("rate", [-0.1, 1.1, "many", True])
def test_a_wrong_rate_is_refused_at_start(recordings: Path, rate: Any) -> None:
    """The message names the setting, the value and what is allowed."""
    with pytest.raises(ConfigurationError, match=r"sample_rate=.*0(\.0)? to 1"):
        if isinstance(rate, str):
            SampleRate(rate)  # type: ignore[arg-type]
        else:
            SampleRate(rate)


@pytest.mark.parametrize("app", [print, object(), lambda scope: None])
def test_what_is_no_application_is_refused(recordings: Path, app: Any) -> None:
    """Neither two nor three parameters: the message says what to use instead."""
    with pytest.raises(ConfigurationError, match=r"retrace_mw\.asgi\.RetraceMiddleware"):
        RetraceMiddleware(app)


@pytest.mark.faults_expected
def test_a_decider_that_fails_means_no(recordings: Path) -> None:
    """A fault of a decider never reaches the response, and is counted."""

    def broken(_: RequestView) -> Decision:
        raise RuntimeError("broken")

    answer = Client(RetraceMiddleware(hello, decide=broken)).get("/", buffered=True)
    assert answer.data == b"hello "
    assert stats()["faults.decide"] >= 1


def test_installing_while_another_thread_imports_ends(tmp_path: Path) -> None:
    """Neither holds what the other waits for: our lock, and that of a module being imported."""
    (tmp_path / "lib.py").write_text("import held\nheld.importing.set(); held.go.wait(20)\n")
    (tmp_path / "held.py").write_text(
        "import threading\nimporting, go = threading.Event(), threading.Event()\n"
    )
    (tmp_path / "lib_boundary.py").write_text(
        "import held\nheld.go.set()\nimport lib\nfrom retrace_core import Boundary\n"
        "BOUNDARY = Boundary(kind='lib')\n"
    )
    code = (
        "import threading, held\nfrom retrace_core import installer\n"
        "installer._foreign = lambda: {'lib': 'lib_boundary'}\n"
        "installer._active = True\ninstaller._register('lib', 'lib_boundary')\n"
        "other = threading.Thread(target=lambda: __import__('lib'), daemon=True)\n"
        "other.start(); held.importing.wait()\n"
        "installer.install(only=['lib']); other.join()\n"
        "print(installer.installed())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "['lib']\n", done.stderr


def test_importing_the_middleware_imports_no_framework() -> None:
    """Production loads neither replay, the command line, nor any web framework."""
    code = (
        "import sys, retrace_mw; print([name for name in ('starlette', 'werkzeug', 'flask',"
        " 'ldclient', 'rich', 'retrace_core.replay', 'retrace_core.cli') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_trace_of_an_opentelemetry_span_is_used(recordings: Path) -> None:
    """Where no header names a trace, the active span does, and is the parent."""
    provider = TracerProvider()
    with provider.get_tracer("t").start_as_current_span("request") as span:
        Client(RetraceMiddleware(hello, service="shop")).get("/", buffered=True)
    assert writer.flush()
    (file,) = recordings.glob("*/shop/trace.bin")
    header = load(file).header
    context = span.get_span_context()
    assert header.trace_id == f"{context.trace_id:032x}" == file.parts[-3]
    assert header.parent_span_id == f"{context.span_id:016x}"
