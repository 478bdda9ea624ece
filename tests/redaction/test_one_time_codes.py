"""One-time codes (HOTP, TOTP) of a log-in: found right on replay, as they were."""

from __future__ import annotations

import hmac
import struct
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording

KEY = b"12345678901234567890"
CODES = "755224 287082 359152".split()
"""Source: RFC 4226, appendix D; those of the counters 0 to 2."""


def code_of(counter: int) -> int:
    """Return it as django-otp reckons it, and allauth, and others."""
    digest = hmac.new(KEY, struct.pack(">Q", counter), "sha1").digest()
    first = digest[-1] & 0x0F
    return (int.from_bytes(digest[first : first + 4], "big") & 0x7FFFFFFF) % 10**6


def app_of() -> flask.Flask:
    """Return one that lets in whoever has a password and the code of one of three counters."""
    app = flask.Flask("door")

    @app.post("/")
    def enter() -> Any:
        given: Any = flask.request.get_json() if flask.request.is_json else flask.request.form
        word, code = str(given["pass"])[:-6], int(str(given["pass"])[-6:])
        at = next((one for one in range(3) if code_of(one) == code), None)
        return (f"{at} for {word}", 200) if at is not None else ("wrong", 403)

    return app


def recorded(app: flask.Flask, recordings: Path, **given: Any) -> Recording:
    """Return a recording of somebody who wants to get in."""
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", **given)
    return only_recording(recordings)


@pytest.mark.parametrize(
    "given",
    [{"data": {"pass": CODES[1]}}, {"json": {"pass": int(CODES[1])}}],
    ids=["in a form", "as a number"],
)
def test_one_that_the_request_reckoned_is_found_right(
    recordings: Path, given: dict[str, Any]
) -> None:
    """It is a secret by its name, and opens nothing any more."""
    app = app_of()
    recording = recorded(app, recordings, **given)
    assert recording.response is not None
    assert recording.response.status == 200
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_with_a_password_before_it_that_is_masked(recordings: Path) -> None:
    """PIN and code in one field."""
    app = app_of()
    recording = recorded(app, recordings, data={"pass": f"Kv7-yellow{CODES[2]}"})
    assert b"Kv7-yellow" not in b"".join(recording.request.body)
    assert CODES[2].encode() in b"".join(recording.request.body)
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_one_that_is_wrong_is_masked(recordings: Path) -> None:
    """Whoever mistypes a password ends up here as well."""
    app = app_of()
    recording = recorded(app, recordings, data={"pass": "Kv7-yellow123456"})
    assert b"123456" not in b"".join(recording.request.body)
    result = replay(recording, app)
    assert result.identical, result.summary()
