"""The context that a replayed request runs in: that of a server's thread, or of the main one."""

from __future__ import annotations

import threading
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING

import flask
import httpx
import pytest
from werkzeug.serving import make_server

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: ContextVar[str] = ContextVar("folder", default="none")


@pytest.mark.parametrize(("threaded", "said"), [(True, "none"), (False, "of the start-up")])
def test_what_the_start_up_set_in_its_context(recordings: Path, threaded: bool, said: str) -> None:
    """A server's threads begin with an empty one, where the main thread has it."""
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=FOLDER.get)
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    def start() -> None:
        FOLDER.set("of the start-up")
        server = make_server("127.0.0.1", 0, app, threaded=threaded)
        asking = threading.Thread(target=ask, args=(server.server_port,))
        asking.start()
        server.handle_request()
        asking.join()
        server.server_close()
        recording = only_recording(recordings)
        result = replay(recording, app)
        assert recording.response is not None
        assert b"".join(recording.response.body).decode() == said
        assert result.identical, result.summary()

    def ask(port: int) -> None:
        httpx.get(f"http://127.0.0.1:{port}/")

    copy_context().run(start)
