"""Wrapping: every application that a test gives to a client or a server is recorded.

Loaded in each process of a suite that runs under Retrace, by `sitecustomize`.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
from typing import Any

from wrapt import register_post_import_hook

from retrace_core import failsafe, installer, scope
from retrace_mw import asgi, response_headers, wsgi

__all__ = ["activate", "recorded_asgi", "recorded_wsgi"]


def recorded_asgi(app: Any) -> Any:
    """Return an ASGI application under the middleware."""
    return _recorded(app, asgi.RetraceMiddleware)


def recorded_wsgi(app: Any) -> Any:
    """Return a WSGI application under the middleware."""
    return _recorded(app, wsgi.RetraceMiddleware)


def _recorded(app: Any, make: Any) -> Any:
    # Made anew each time: kept beside the application it would keep it alive, which tests look at.
    return app if isinstance(app, make) else make(app, service="invisible")


def _replace_argument(owner: Any, function: str, argument: str, recorded: Any) -> None:
    """Have `owner.function` get the application named `argument` under the middleware."""
    original = getattr(owner, function)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def replacing(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        if bound.arguments.get(argument) is not None:
            bound.arguments[argument] = recorded(bound.arguments[argument])
        return original(*bound.args, **bound.kwargs)

    setattr(owner, function, replacing)


def _starlette_client(module: Any) -> None:
    _replace_argument(module._TestClientTransport, "__init__", "app", recorded_asgi)
    _replace_argument(module.WebSocketTestSession, "__init__", "app", recorded_asgi)
    lifespan = module.TestClient.lifespan

    @functools.wraps(lifespan)
    async def recorded_lifespan(self: Any) -> None:
        app = self.app
        self.app = recorded_asgi(app)
        try:
            await lifespan(self)
        finally:
            self.app = app

    module.TestClient.lifespan = recorded_lifespan


def _werkzeug_client(module: Any) -> None:
    _replace_argument(module, "run_wsgi_app", "app", recorded_wsgi)


def _werkzeug_server(module: Any) -> None:
    _replace_argument(module.BaseWSGIServer, "__init__", "app", recorded_wsgi)


def _wsgiref_server(module: Any) -> None:
    _replace_argument(module.WSGIServer, "set_app", "application", recorded_wsgi)


def _uvicorn(module: Any) -> None:
    original = module.Config.load

    @functools.wraps(original)
    def load(self: Any) -> None:
        original(self)
        self.loaded_app = recorded_asgi(self.loaded_app)

    module.Config.load = load


_PLACES = {
    "starlette.testclient": _starlette_client,
    "werkzeug.test": _werkzeug_client,
    "werkzeug.serving": _werkzeug_server,
    "wsgiref.simple_server": _wsgiref_server,
    "uvicorn.config": _uvicorn,
}
"""Module -> what has the applications recorded that are given to it."""


def activate() -> None:
    """Put all boundaries in place, and the middleware where applications are given away.

    With INVISIBLE_STRICT=1 faults of ours fail the tests, instead of being counted only.
    """
    # What is meant to be seen is not looked at: the recording's name in the response, the trace in
    # outgoing calls (httpbin tells what it got), a line in the log for each recording.
    response_headers.ResponseHeaders.missing = lambda *_: []
    begin = scope.RecordingScope.__init__

    @functools.wraps(begin)
    def silent(self: Any, **given: Any) -> None:
        begin(self, **{**given, "outgoing_headers": ()})

    scope.RecordingScope.__init__ = silent
    logging.getLogger("retrace").setLevel(logging.WARNING)
    failsafe.strict = os.environ.get("INVISIBLE_STRICT") == "1"
    installer.install()
    for module, wrap in _PLACES.items():
        register_post_import_hook(wrap, module)
