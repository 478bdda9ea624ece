"""http.client and what stands on it: urllib.request and urllib3."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from retrace_core import RecordingError, replay
from retrace_core.ids import call_span_id
from tests.http_origin import origin
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

PATHS = ["json", "redirect", "gzip", "chunked", "error"]


def test_urllib_request_comes_back(recordings: Path) -> None:
    """Redirects are followed again, and an error status raises again."""
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            found: dict[str, Any] = {}
            for path in PATHS:
                try:
                    with urllib.request.urlopen(f"{base}/{path}", timeout=5) as answer:
                        found[path] = [answer.status, answer.url, answer.read().hex()]
                except urllib.error.HTTPError as error:
                    found[path] = [error.code, error.read().hex()]
            return found

        app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_http_client_comes_back(recordings: Path) -> None:
    """A connection used twice, its body read in pieces."""
    with origin() as (base, _):
        host = base.removeprefix("http://")

        def view() -> dict[str, Any]:
            connection = http.client.HTTPConnection(host, timeout=5)
            connection.request("POST", "/", b"sent")
            first = connection.getresponse().read()
            connection.request("GET", "/chunked")
            answer = connection.getresponse()
            pieces = [answer.read(7).decode() for _ in range(3)]
            rest = answer.read().decode()
            connection.close()
            return {"first": first.decode(), "pieces": pieces, "rest": rest}

        app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_urllib3_comes_back(recordings: Path) -> None:
    """Its pool, its own redirects, its streaming and its decoding."""
    pool = urllib3.PoolManager()
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            found = {path: pool.request("GET", f"{base}/{path}").data.hex() for path in PATHS}
            streamed = pool.request("GET", f"{base}/chunked", preload_content=False)
            found["streamed"] = "|".join(part.decode() for part in streamed.stream(10))
            return found

        app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


@pytest.mark.parametrize("path", ["hang", "broken"])
def test_failures_are_raised_again(recordings: Path, path: str) -> None:
    """A timeout and a body that ends early come back as they were raised."""
    pool = urllib3.PoolManager(retries=False, timeout=0.2)
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            try:
                return {"read": pool.request("GET", f"{base}/{path}").data.decode()}
            except urllib3.exceptions.HTTPError as error:
                return {"error": type(error).__name__}

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"Error" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_a_refused_connection_is_refused_again(recordings: Path) -> None:
    """Also when someone listens there by now."""
    with origin() as (base, server):
        port = server.server_port
    closed = f"http://127.0.0.1:{port}"
    assert base == closed

    def view() -> dict[str, Any]:
        try:
            urllib.request.urlopen(closed, timeout=5)
        except urllib.error.URLError as error:
            return {"reason": str(error.reason)}
        return {}

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"refused" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_the_trace_is_sent_along(recordings: Path) -> None:
    """Outgoing calls carry X-Trace-ID and traceparent, which the application never set."""
    with origin() as (base, _):

        def view() -> bytes:
            with urllib.request.urlopen(f"{base}/json", timeout=5) as answer:
                read: bytes = answer.read()
                return read

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    sent = b"".join(recording.response.body).decode().lower()
    assert f'"x-trace-id": "{recording.header.trace_id}"' in sent
    span_id = call_span_id(recording.header.span_id, 0)
    assert f'"traceparent": "00-{recording.header.trace_id}-{span_id}' in sent
    assert_identical(recording, app)


def test_replay_needs_a_recording() -> None:
    """A path that is not there says so."""
    with pytest.raises(RecordingError, match="is not there"):
        replay("/nowhere/trace.bin", lambda environ, start_response: [])
