"""Codes of OAuth: who has one, and is quick, gets the user's tokens. Any other code is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import pytest
import requests

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.http_origin import origin
from tests.recorded import only_recording
from tests.redaction.raw import raw
from tests.redaction.test_finding import masked

if TYPE_CHECKING:
    from pathlib import Path

CODE = "SplxlOBeZQQYbYS6WxSbIA"
ENCODED = "4%2F0AbUR2VMeHxU-9mX"
AZURE = "0.AXoA_x-Y7.AgABBAIAAABVrSpeuWamRam2jAF1XRQE"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"code={CODE}&state=af0ifjsldkj".encode(), CODE),
        (f"state=af0ifjsldkj&code={CODE}".encode(), CODE),
        (f"https://shop.example/callback?code={CODE}&state=af0&scope=openid", CODE),
        (f"GET /callback?state=af0&iss=https%3A%2F%2Fid.example&code={ENCODED} HTTP/1.1", ENCODED),
        (f"grant_type=authorization_code&code={AZURE}&client_id=shop".encode(), AZURE),
        (f"code={CODE}&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback".encode(), CODE),
        (f'{{"grant_type": "authorization_code", "code": "{CODE}", "client_id": "shop"}}', CODE),
        ({"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}, "dBjftJeZ4CVP-mB92"),
        (b"device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh", "GmRhmhcxhwAzkoEqiMEg"),
    ],
)
def test_a_code_beside_what_goes_with_it_is_masked(text: object, code: str) -> None:
    """In the answer of who asked for it, and in what it is changed for tokens with."""
    assert code.encode() not in masked(text)


def test_it_is_masked_wherever_it_stands() -> None:
    """In a log line or a statement, decoded as well."""
    found = masked(f"code={ENCODED}&state=af0".encode(), "code was 4/0AbUR2VMeHxU-9mX")
    assert b"4/0AbUR2VMeHxU-9mX" not in found


@pytest.mark.parametrize(
    "text",
    [
        b"code=SUMMERSALE2026&quantity=2",
        b"barcode=4006381333931&state=sold",
        b"zip_code=94103-1234&state=CA",
        b"code=CA&state=California",
        '{"code": "validation_error", "state": "failed"}',
        '{"code": "SUMMERSALE2026", "message": "no such coupon"}',
        "/shop?state=open code=SUMMERSALE2026",
        f'[{{"code": "{CODE}"}}, {{"grant_type": "x", "state": "y"}}]',
    ],
)
def test_any_other_code_stays(text: object) -> None:
    """Coupons, errors, bar codes: who debugs wants to see them."""
    shown = text if isinstance(text, bytes) else str(text).encode()
    assert shown in masked(text)


@pytest.mark.parametrize("how", ["data", "json"])
def test_signing_in_is_replayed(recordings: Path, how: str) -> None:
    """The code came by the browser, is sent on for a token, and stands nowhere."""
    app = flask.Flask("shop")

    @app.get("/callback")
    def callback() -> Any:
        asked = {"grant_type": "authorization_code", "code": flask.request.args["code"]}
        given: Any = {how: {**asked, "redirect_uri": "https://shop.example/callback"}}
        return requests.post(f"{base}/token", **given, timeout=10).json()

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    with origin() as (base, _):
        answer = app.test_client().get(f"/callback?code={ENCODED}&state=af0ifjsldkj", buffered=True)
        assert answer.status_code == 200
        recording = only_recording(recordings)
    for spelling in (ENCODED, "4/0AbUR2VMeHxU-9mX"):
        assert spelling.encode() not in raw(recordings)
    result = replay(recording, app)
    assert result.identical, result.summary()
