"""Served: records, under `retrace run`, an application that is of no framework known to it.

It is taken from the server that loads it: cheroot, daphne, gunicorn, hypercorn, tornado's
container, uvicorn, waitress, Werkzeug's, or `wsgiref`'s. One of a known framework, or one that
holds the middleware, is left alone.
"""

from __future__ import annotations

import functools
import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

from retrace_core import failsafe
from retrace_core.protocol import Protocol, detect, layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["enable"]


Hooking: TypeAlias = "Callable[[Callable[..., Any], Callable[[Any], Any]], Callable[..., Any]]"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server has got hold of its application."""

    module: str
    owner: str
    """The class that has the function, "" for the module itself."""
    function: str
    hooked: Hooking
    """Gets the function and what is to be done with an application; returns the hook."""


def _returned(original: Callable[..., Any], served: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function returns the application."""

    @functools.wraps(original)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        return served(original(*args, **kwargs))

    return hooked


def _kept(original: Callable[..., Any], served: Callable[[Any], Any]) -> Callable[..., Any]:
    """The method leaves the application in `loaded_app`."""

    @functools.wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        self.loaded_app = served(self.loaded_app)
        return result

    return hooked


def _given(name: str) -> Hooking:
    """The function gets the application under a name."""

    def hooking(original: Callable[..., Any], served: Callable[[Any], Any]) -> Callable[..., Any]:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def hooked(*args: Any, **kwargs: Any) -> Any:
            with failsafe.gate("zero code for a server"):
                given = signature.bind(*args, **kwargs)
                if given.arguments.get(name) is not None:
                    given.arguments[name] = served(given.arguments[name])
                    args, kwargs = given.args, given.kwargs
            return original(*args, **kwargs)

        return hooked

    return hooking


SERVERS = (
    Server("cheroot.wsgi", "Server", "__init__", _given("wsgi_app")),
    Server("daphne.server", "Server", "__init__", _given("application")),
    Server("gunicorn.app.base", "BaseApplication", "wsgi", _returned),
    Server("hypercorn.utils", "", "wrap_app", _given("app")),
    Server("tornado.wsgi", "WSGIContainer", "__init__", _given("wsgi_application")),
    Server("uvicorn.config", "Config", "load", _kept),
    Server("waitress.server", "", "create_server", _given("application")),
    Server("werkzeug.serving", "BaseWSGIServer", "__init__", _given("app")),
    Server("wsgiref.simple_server", "WSGIServer", "set_app", _given("application")),
)


def enable(known: Callable[[Any], bool], wrap: Callable[[Any, Protocol], Any]) -> None:
    """Have applications recorded that servers load from now on.

    Args:
        known: returns True for one of a framework that is recorded by itself.
        wrap: returns the recorded application of one and its protocol.
    """

    def served(app: Any) -> Any:
        made = None
        with failsafe.gate("zero code for a server"):
            protocol = detect(app)
            if protocol is not Protocol.UNKNOWN and not any(map(known, layers(app))):
                made = wrap(app, protocol)
        return app if made is None else made

    for server in SERVERS:
        hook = functools.partial(_hook, server, served)
        if server.module in sys.modules:
            hook(sys.modules[server.module])
        else:
            register_post_import_hook(hook, server.module)


def _hook(server: Server, served: Callable[[Any], Any], module: ModuleType) -> None:
    with failsafe.gate(f"zero code for {server.module}"):
        owner: Any = getattr(module, server.owner) if server.owner else module
        original = getattr(owner, server.function)
        if not getattr(original, "retrace_inserted", False):
            hooked: Any = server.hooked(original, served)
            hooked.retrace_inserted = True
            setattr(owner, server.function, hooked)
