"""What the suites of others found: with us an application behaves as without."""

from __future__ import annotations

import gc
import weakref
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from retrace_core import stats, writer
from retrace_core.http_clients.http_exchange import UNRECORDED
from retrace_core.native import LANE, OFF
from retrace_mw import Late, RetraceMiddleware, decide_late
from retrace_mw.deciders import Never
from tests.recorded import only_recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Thing:
    """What an application holds."""


def asked(app: Any, environ: dict[str, Any]) -> list[bytes]:
    """Send one request to a WSGI application."""
    answer = app(environ, lambda *_: None)
    parts = list(answer)
    getattr(answer, "close", int)()
    return parts


def test_an_application_that_is_done_with_goes(recordings: Path) -> None:
    """Nothing of ours keeps it once it was recorded: Werkzeug's tests count what is left."""

    def made() -> weakref.ref[Thing]:
        thing = Thing()

        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("X-Thing", type(thing).__name__)])
            return [b"x"]

        asked(RetraceMiddleware(app), {"REQUEST_METHOD": "GET", "PATH_INFO": "/"})
        assert writer.flush(10)
        return weakref.ref(thing)

    left = made()
    gc.collect()
    assert left() is None
    assert list(recordings.glob("*/*/*.bin"))


def test_an_environ_without_a_method_is_recorded_too(recordings: Path) -> None:
    """Werkzeug's tests call applications with an empty one."""
    before = stats().get("faults.open scope", 0)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x"]

    assert asked(RetraceMiddleware(app), {}) == [b"x"]
    assert stats().get("faults.open scope", 0) == before
    assert only_recording(recordings).request.method == ""


def test_a_request_runs_in_the_context_of_its_server(recordings: Path) -> None:
    """What the application sets and resets there is reset in the same context: Flask's are."""
    variable: ContextVar[str] = ContextVar("variable")
    tokens: list[Token[str]] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        tokens.append(variable.set("set"))
        yield variable.get().encode()
        variable.set("later")

    assert asked(RetraceMiddleware(app), {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}) == [b"set"]
    assert variable.get() == "later"
    variable.reset(tokens[0])
    assert variable.get(None) is None
    lane = LANE.get()
    assert lane is None or lane.mode == OFF  # that of the boot, which has ended


def test_a_late_no_leaves_nothing_in_the_server_s_context(recordings: Path) -> None:
    """What hands the trace of a dropped request on does so for this request alone."""
    seen: list[bool] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        decide_late(user="ann")
        start_response("200 OK", [])
        yield b"one"
        seen.append(UNRECORDED.get() is not None)
        yield b"two"

    served = RetraceMiddleware(app, decide=Late(Never()))
    assert asked(served, {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}) == [b"one", b"two"]
    assert seen == [True]
    assert UNRECORDED.get() is None
