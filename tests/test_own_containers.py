"""Containers of a program's own: its server gets `app.wsgi_app`, and calls no application."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.replay_report import replayed
from tests.server_process import free_port
from tests.serving import get, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROGRAM = """
import asyncio
import sys
import time
from wsgiref.util import setup_testing_defaults

from flask import Flask
from tornado import httpserver, ioloop, web

app = Flask(__name__)


@app.get("/")
def now():
    return str(time.time_ns())


class Container(web.RequestHandler):
    def initialize(self, called):
        self.called = called

    async def get(self):
        environ = {"HTTP_X_TRACE_ID": self.request.headers.get("X-Trace-ID", "")}
        setup_testing_defaults(environ)
        called = lambda: b"".join(self.called(environ, lambda *_: None))
        self.write(await asyncio.get_running_loop().run_in_executor(None, called))


routes = [("/.*", Container, {"called": app.wsgi_app})]
httpserver.HTTPServer(web.Application(routes)).listen(int(sys.argv[1]), "127.0.0.1")
ioloop.IOLoop.current().start()
"""


def test_a_container_that_is_handed_the_inner_application_has_it_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded where it is called, and a replay finds it where the program would serve."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    port = free_port()
    command = ["retrace_core.cli", "run", "--", sys.executable, str(program), str(port)]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
    (path,) = tmp_path.glob("one/*/trace.bin")
    assert replayed(path)["identical"]
