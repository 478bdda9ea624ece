"""Signatures of webhooks that say when and how they were made: masked are the signatures alone."""

from __future__ import annotations

import base64
import hmac
import time
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_core.redaction.signature_lists import signatures_in
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import files, raw
from tests.redaction.test_finding import masked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEX = hmac.digest(b"key", b"said", "sha256").hex()
BASE64 = base64.b64encode(hmac.digest(b"key", b"said", "sha256")).decode()
GIVEN = [
    ("stripe-signature", f"t=1700000000,v1={HEX}", HEX, "t=1700000000,v1="),
    ("paddle-signature", f"ts=1700000000;h1={HEX}", HEX, "ts=1700000000;h1="),
    ("x-hub-signature-256", f"sha256={HEX}", HEX, "sha256="),
    ("x-slack-signature", f"v0={HEX}", HEX, "v0="),
    ("webhook-signature", f"v1,{BASE64} v1,{BASE64[::-1].strip('=')}", BASE64, "v1,"),
    (
        "signature",
        f'keyId="ada#key",algorithm="rsa-sha256",signature="{BASE64}"',
        BASE64,
        "ada#key",
    ),
    ("signature", f"sig1=:{BASE64}:", BASE64, "sig1=:"),
    ("x-signature", f"1700000000.{HEX}", HEX, "1700000000."),
    ("x-signature", f"1700000000:{BASE64}", BASE64, "1700000000:"),
]


@pytest.mark.parametrize(("name", "value", "secret", "left"), GIVEN)
def test_how_it_was_made_is_left(name: str, value: str, secret: str, left: str) -> None:
    data = masked([(name, value)])
    assert secret.encode() not in data
    assert left.encode() in data


@pytest.mark.parametrize("value", [HEX, BASE64, "a=b, and some words", "sha256=", "t=1700000000"])
def test_any_other_value_is_one(value: str) -> None:
    assert signatures_in(value.encode()) is None


def stripe(header: str, body: bytes) -> bool:
    """Check as Stripe's documentation says it: the time is signed, and looked at."""
    parts = dict(item.split("=", 1) for item in header.split(","))
    mine = hmac.new(KEY[0], parts["t"].encode() + b"." + body, "sha256").hexdigest()
    return hmac.compare_digest(mine, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300


def timed(header: str, body: bytes) -> bool:
    """Take the time and the signature from both sides of a dot."""
    at, _, given = header.partition(".")
    mine = hmac.new(KEY[0], at.encode() + b"." + body, "sha256").hexdigest()
    return hmac.compare_digest(mine, given) and abs(time.time() - int(at)) < 300


def github(header: str, body: bytes) -> bool:
    """Take the name of the algorithm from the header."""
    name, _, given = header.partition("=")
    return hmac.compare_digest(hmac.new(KEY[0], body, name).hexdigest(), given)


KEY = [b"whsec-of-the-other-side"]


@pytest.mark.parametrize("check", [stripe, github, timed])
def test_a_webhook_is_checked_again(recordings: Path, check: Callable[[str, bytes], bool]) -> None:
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> Any:
        good = check(flask.request.headers["X-Signature"], flask.request.get_data())
        return ("taken", 200) if good else ("refused", 400)

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    body = b'{"id": "evt_1", "paid": true}'
    now = str(int(time.time()))
    said = body if check is github else f"{now}.".encode() + body
    digest = hmac.digest(KEY[0], said, "sha256").hex()
    forms = {stripe: f"t={now},v1={digest}", github: f"sha256={digest}", timed: f"{now}.{digest}"}
    header = forms[check]
    answer = app.test_client().post("/", data=body, headers={"X-Signature": header}, buffered=True)
    assert answer.status_code == 200
    only_recording(recordings)
    assert digest.encode() not in raw(recordings)
    (path,) = files(recordings)
    KEY[0] = b"another"
    try:
        result = replay(path, app)
    finally:
        KEY[0] = b"whsec-of-the-other-side"
    assert result.identical, result.summary()
