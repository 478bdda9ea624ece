"""The tag of a page with a form is the recorded one, though its token is made anew on replay."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import flask
import pytest
from django.middleware.csrf import _mask_cipher_secret

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording

SECRET = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4f"
WRITTEN = {
    "input": '<form><input type="hidden" name="csrfmiddlewaretoken" value="{}"></form>',
    "packed": "<form><input name=csrfmiddlewaretoken type=hidden value={}></form>",
    "meta": '<meta name="csrf-token" content="{}">',
    "in an attribute": '<a data-post="{{&quot;csrfmiddlewaretoken&quot;: &quot;{}&quot;}}">',
    "by numbers": '<body hx-headers="{{&#34;X-CSRFToken&#34;:&#34;{}&#34;}}">',
    "JSON": """<body hx-headers='{{"X-CSRFToken": "{}"}}'>""",
}


def app_with(page: str) -> flask.Flask:
    """Return one that answers with a page and its tag; the tag is none where the page differs."""
    app = flask.Flask("shop")

    @app.get("/")
    def home() -> Any:
        token = _mask_cipher_secret(flask.request.cookies["csrftoken"])
        body = page.format(token)
        tag = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        return flask.Response(body, headers={"ETag": f'"{tag}"'})

    return app


def recorded(app: flask.Flask, recordings: Path) -> Recording:
    """Return a recording of its page."""
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    client.set_cookie("csrftoken", SECRET)
    assert client.get("/", buffered=True).status_code == 200
    return only_recording(recordings)


@pytest.mark.parametrize("written", WRITTEN)
def test_the_tag_is_the_recorded_one(recordings: Path, written: str) -> None:
    """Django makes the token of what it draws and of a secret, which is masked."""
    app = app_with(f"<h1>Shop</h1>{WRITTEN[written]}")

    result = replay(recorded(app, recordings), app)

    assert result.identical, result.summary()


def test_the_tag_of_another_page_is_another(recordings: Path) -> None:
    """Only the token does not count."""
    app = app_with(f"<h1>Shop</h1>{WRITTEN['input']}")

    result = replay(recorded(app, recordings), app_with(f"<h1>Shed</h1>{WRITTEN['input']}"))

    assert "header etag" in {one.what for one in result.differences}
