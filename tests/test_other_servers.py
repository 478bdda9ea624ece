"""Servers that speak neither ASGI nor WSGI: `retrace run` says that it records nothing of them."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

needs_socketify = pytest.mark.skipif(
    find_spec("socketify") is None, reason="socketify is not installed"
)
_RUN = [sys.executable, "-m", "retrace_core.cli", "run", "--", sys.executable, "-c"]
_AIOHTTP = """
import asyncio
from aiohttp import web
async def serve():
    for _ in range(2):
        runner = web.AppRunner(web.Application())
        await runner.setup()
        await runner.cleanup()
asyncio.run(serve())
"""
_TORNADO = "import tornado.web; tornado.web.Application(); tornado.web.Application()"
_GRANIAN = "import granian.server.mp as m; m._rsgi_call_wrap(print); m._rsgi_call_wrap(print)"
_MICRODOT = """
import microdot
for _ in range(2):
    microdot.Microdot().start_server().close()
"""
_ROBYN = """
import robyn
for _ in range(2):
    try:
        robyn.run_processes()
    except TypeError:
        pass
"""
_SOCKETIFY = """
import socketify
app = socketify.App()
app.get("/", print)
app.post("/", print)
"""
_CLIENTS = "import aiohttp, tornado.wsgi; tornado.wsgi.WSGIContainer(print)"


def _said(program: str) -> str:
    environment = {**os.environ, "RETRACE": "1"}
    done = subprocess.run(
        [*_RUN, program], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stderr


@pytest.mark.parametrize(
    ("program", "what"),
    [
        (_AIOHTTP, "aiohttp.web"),
        (_GRANIAN, "granian's RSGI"),
        (_MICRODOT, "microdot's own server"),
        (_ROBYN, "Robyn"),
        pytest.param(_SOCKETIFY, "socketify's own App", marks=needs_socketify),
        (_TORNADO, "tornado.web"),
    ],
)
def test_it_is_said_once_that_nothing_of_theirs_is_recorded(program: str, what: str) -> None:
    """On standard error, and not again for a second one."""
    said = _said(program)
    assert said.count(f"requests that {what} serves are not recorded") == 1, said


def test_nothing_is_said_of_a_client_or_of_a_wsgi_container() -> None:
    """Those of aiohttp and tornado are recorded."""
    assert "not recorded" not in _said(_CLIENTS)
