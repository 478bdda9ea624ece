"""WebOb's signed cookies: what a masked one says comes from the recording."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from webob import Request
from webob.cookies import JSONSerializer

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path


class Texts:
    """A serializer of an application's own, of one text."""

    def dumps(self, value: Any) -> bytes:
        """Return the time and the token, a line each."""
        renewed, created, state = value
        return "\n".join([str(renewed), str(created), state["_csrft_"]]).encode()

    def loads(self, text: bytes) -> Any:
        """Return what they were made of."""
        renewed, created, token = text.decode().split("\n")
        return float(renewed), float(created), {"_csrft_": token}


@pytest.mark.parametrize("forged", [False, True], ids=["valid", "forged"])
@pytest.mark.parametrize("serializer", [JSONSerializer(), Texts()], ids=["json", "own"])
def test_a_session_in_a_cookie_is_as_it_was(
    serializer: Any, forged: bool, recordings: Path
) -> None:
    """Pyramid keeps the token of a visitor in it, which comes back in a form."""
    pyramid_session = pytest.importorskip("pyramid.session")
    made = pyramid_session.SignedCookieSessionFactory(secrets.token_hex(), serializer=serializer)

    def form(request: Any) -> Response:
        return Response(request.session.get_csrf_token())

    def order(request: Any) -> Response:
        right = request.POST["csrf_token"] == request.session.get_csrf_token()
        return Response("ordered" if right else "who are you?", status=200 if right else 403)

    with Configurator(session_factory=made) as config:
        for name, view in (("form", form), ("order", order)):
            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name)
        bare = config.make_wsgi_app()
    asked = Request.blank("/form").get_response(bare)
    cookie = asked.headers["Set-Cookie"].partition(";")[0]
    if forged:
        cookie = cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB")
    app = RetraceMiddleware(bare)
    sent = Request.blank("/order", POST={"csrf_token": asked.text}, headers={"Cookie": cookie})
    answer = sent.get_response(app)
    assert answer.text == ("who are you?" if forged else "ordered")
    recording = only_recording(recordings)
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert asked.text not in repr(recording)
