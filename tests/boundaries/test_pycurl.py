"""pycurl, whose transfers no audit event tells of: they come back with the server stopped."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pycurl

from tests.http_origin import origin
from tests.recorded import assert_identical, identical_body, record_wsgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from pathlib import Path


def _got(address: str, **options: Any) -> tuple[Any, bytes, list[bytes]]:
    """Return (a handle that performed, the body, the lines of the headers)."""
    body, lines = io.BytesIO(), list[bytes]()
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, address)
    handle.setopt(pycurl.WRITEDATA, body)
    handle.setopt(pycurl.HEADERFUNCTION, lines.append)
    for name, value in options.items():
        handle.setopt(getattr(pycurl, name), value)
    handle.perform()
    return handle, body.getvalue(), lines


def test_transfers_come_back(recordings: Path) -> None:
    """Bodies, headers, what is asked of the handle, redirects, and one body in its pieces."""
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            handle, body, lines = _got(f"{base}/redirect", FOLLOWLOCATION=True)
            pieces: list[bytes] = []
            _got(f"{base}/chunked", WRITEFUNCTION=pieces.append)
            posted = _got(base, POSTFIELDS="a=1&b=2")[1]
            found = {
                "body": body.decode(),
                "lines": [line.decode() for line in lines if b"Date" not in line],
                "status": handle.getinfo(pycurl.RESPONSE_CODE),
                "took": handle.getinfo(pycurl.TOTAL_TIME),
                "at": handle.getinfo(pycurl.EFFECTIVE_URL),
                "pieces": [piece.decode() for piece in pieces],
                "posted": posted.decode(),
                "whole": handle.duphandle().perform_rs() if hasattr(handle, "perform_rs") else "",
            }
            handle.close()
            return found

        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_failures_come_back(recordings: Path) -> None:
    """Nobody listens, and a body breaks off: with what had come of it until then."""
    with origin() as (base, server):

        def view() -> dict[str, Any]:
            found: dict[str, Any] = {}
            for address in ("http://127.0.0.1:1/", f"{base}/broken"):
                body, handle = io.BytesIO(), pycurl.Curl()
                handle.setopt(pycurl.URL, address)
                handle.setopt(pycurl.WRITEDATA, body)
                try:
                    handle.perform()
                except pycurl.error as error:
                    found[address] = [*error.args, handle.errstr(), body.getvalue().decode()]
            return found

        app, recording = record_wsgi(recordings, view)
        assert server.server_port
    assert recording.response is not None and len(json.loads(recording.response.body[0])) == 2
    assert_identical(recording, app)


def test_the_trace_goes_along(recordings: Path) -> None:
    """Its headers are sent beside the application's own, and these stay as they were."""
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            handle, body, _lines = _got(base, HTTPHEADER=["X-Own: yes"])
            handle.perform()
            return {"sent": json.loads(body)["headers"]}

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    sent = {name.lower() for name in json.loads(recording.response.body[0])["sent"]}
    assert {"x-own", "traceparent"} <= sent
    assert_identical(recording, app)


def test_secrets_of_a_transfer_are_masked(recordings: Path) -> None:
    """A password in the address, a token in the body that is sent."""
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            address = base.replace("://", "://ada:of-nobody-else-7@")
            return {"body": _got(address, POSTFIELDS="access_token=tok-of-nobody-8")[1].decode()}

        app, recording = record_wsgi(recordings, view)
    content = raw(recordings)
    assert b"of-nobody-else-7" not in content and b"tok-of-nobody-8" not in content
    assert_identical(recording, app)
