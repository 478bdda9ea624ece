"""Wrapping: every application that a test gives to a client or a server is recorded.

Loaded in each process of a suite that runs under Retrace, by `sitecustomize`.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from wrapt import register_post_import_hook

from retrace_core import installer
from retrace_mw import asgi, wsgi

__all__ = ["activate", "recorded_asgi", "recorded_wsgi"]

_made: dict[int, tuple[Any, Any]] = {}
"""id of an application -> the application, kept for that, and its middleware."""


def recorded_asgi(app: Any) -> Any:
    """Return an ASGI application under the middleware."""
    return _recorded(app, asgi.RetraceMiddleware)


def recorded_wsgi(app: Any) -> Any:
    """Return a WSGI application under the middleware."""
    return _recorded(app, wsgi.RetraceMiddleware)


def _recorded(app: Any, make: Any) -> Any:
    if isinstance(app, make):
        return app
    known = _made.get(id(app))
    if known is None:
        known = _made[id(app)] = (app, make(app, service="invisible"))
    return known[1]


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


def _httpx_asgi(module: Any) -> None:
    _replace_argument(module.ASGITransport, "__init__", "app", recorded_asgi)


def _httpx_wsgi(module: Any) -> None:
    _replace_argument(module.WSGITransport, "__init__", "app", recorded_wsgi)


_PLACES = {
    "starlette.testclient": _starlette_client,
    "werkzeug.test": _werkzeug_client,
    "werkzeug.serving": _werkzeug_server,
    "wsgiref.simple_server": _wsgiref_server,
    "uvicorn.config": _uvicorn,
    "httpx._transports.asgi": _httpx_asgi,
    "httpx._transports.wsgi": _httpx_wsgi,
    "httpx2._transports.asgi": _httpx_asgi,
    "httpx2._transports.wsgi": _httpx_wsgi,
}
"""Module -> what has the applications recorded that are given to it."""


def activate() -> None:
    """Put all boundaries in place, and the middleware where applications are given away."""
    installer.install()
    for module, wrap in _PLACES.items():
        register_post_import_hook(wrap, module)
