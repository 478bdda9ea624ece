"""Addresses that pages hide by the numbers of their characters: masked there, too."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import flask
import pytest

from retrace_core import replay
from retrace_core.codec import decode
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import raw
from tests.redaction.test_finding import masked

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "abby.of-cedar_77@example.com"


@pytest.mark.parametrize("form", ["&#{};", "&#x{:x};"], ids=["decimal", "hexadecimal"])
def test_an_address_is_masked_by_numbers_as_it_is_by_letters(form: str) -> None:
    written = "".join(form.format(ord(one)) for one in ADDRESS)

    now = decode(masked(f"From {ADDRESS}: <td>{written}</td>"))

    assert isinstance(now, str)
    plain, _, page = now.partition(": ")
    assert written not in page
    shown = html.unescape(page)
    assert len(shown) == len(f"<td>{ADDRESS}</td>")
    assert ADDRESS.partition("@")[0] not in shown
    if form == "&#x{:x};":
        assert plain.removeprefix("From ") in shown


@pytest.mark.parametrize("form", ["&#{};", "&#x{:x};"], ids=["decimal", "hexadecimal"])
def test_a_page_with_one_replays(recordings: Path, form: str) -> None:
    """Also where a pseudonym takes more digits than what it stands for."""
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> flask.Response:
        page = "".join(form.format(ord(one)) for one in flask.request.form["email"])
        return flask.Response(iter((f"<td>{page}</td>",)))

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    address = "abcabcabcabc@example.com"
    said = app.test_client().post("/", data={"email": address}, buffered=True).text
    result = replay(only_recording(recordings), app)

    assert said.encode() not in raw(recordings)
    assert result.identical, result.summary()
