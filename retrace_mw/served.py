"""Served: records, under `retrace run`, an application that is of no framework known to it.

It is taken from the server that loads it: bjoern, cheroot, daphne, eventlet's, gevent's, granian,
gunicorn, hypercorn, palfrey, paste, rocket3 (py4web's), socketify, tornado's container, twisted's,
uvicorn, uWSGI, waitress, Werkzeug's, or `wsgiref`'s. One of a known framework, or one that holds
the middleware, is left alone.
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
from retrace_mw import embedded_uwsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["enable"]


Served: TypeAlias = "Callable[..., Any]"
"""Gets an application, and what the server speaks to it where that is not always the same."""
Hooking: TypeAlias = "Callable[[Callable[..., Any], Served], Callable[..., Any]]"

_WSGI_WORKERS = frozenset({"base_async", "gthread", "gtornado", "sync"})
"""Modules of gunicorn's workers that speak WSGI."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server has got hold of its application."""

    module: str
    owner: str
    """The class that has the function, "" for the module itself."""
    function: str
    hooked: Hooking
    """Gets the function and what is to be done with an application; returns the hook."""
    speaks: Protocol = Protocol.UNKNOWN
    """What it calls each application by, whatever that one's signature tells; or unknown."""


def _returned(original: Callable[..., Any], served: Served) -> Callable[..., Any]:
    """The method returns the application, which gunicorn's worker calls."""

    @functools.wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        return served(original(self, *args, **kwargs), _spoken_by_worker(self))

    return hooked


def _spoken_by_worker(server: Any) -> Protocol:
    with failsafe.gate("zero code for a server"):
        names = [kind.__module__.rpartition(".") for kind in server.cfg.worker_class.__mro__]
        if any(where == "gunicorn.workers" and name in _WSGI_WORKERS for where, _, name in names):
            return Protocol.WSGI
    return Protocol.UNKNOWN


def _kept(original: Callable[..., Any], served: Served) -> Callable[..., Any]:
    """The method leaves the application in `loaded_app`; one of WSGI, in an adapter of its own.

    That one is recorded as what it is: a replay loads it by its name, without the adapter.
    """

    @functools.wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        adapter = _adapter(self.loaded_app) if getattr(self, "interface", "") == "wsgi" else None
        if adapter is None:
            self.loaded_app = served(self.loaded_app)
        else:
            adapter.app = served(adapter.app, Protocol.WSGI)
        return result

    return hooked


def _adapter(app: Any) -> Any:
    """Return what makes one of ASGI of one of WSGI, behind the server's own middleware, or None."""
    while app is not None and "wsgi" not in type(app).__name__.lower():
        app = getattr(app, "app", None)
    return app if getattr(app, "app", None) is not None else None


def _given(name: str) -> Hooking:
    """The function gets the application under a name."""

    def hooking(original: Callable[..., Any], served: Served) -> Callable[..., Any]:
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


def _given_in(name: str, key: str) -> Hooking:
    """The function gets the application in a dict that is given under a name."""

    def hooking(original: Callable[..., Any], served: Served) -> Callable[..., Any]:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def hooked(*args: Any, **kwargs: Any) -> Any:
            with failsafe.gate("zero code for a server"):
                info = signature.bind(*args, **kwargs).arguments.get(name)
                if isinstance(info, dict) and info.get(key) is not None:
                    info[key] = served(info[key])
            return original(*args, **kwargs)

        return hooked

    return hooking


SERVERS = (
    Server("bjoern", "", "server_run", _given("wsgi_app"), Protocol.WSGI),
    Server("cheroot.wsgi", "Server", "__init__", _given("wsgi_app"), Protocol.WSGI),
    Server("daphne.server", "Server", "__init__", _given("application"), Protocol.ASGI),
    Server("eventlet.wsgi", "", "server", _given("site"), Protocol.WSGI),
    Server("gevent.pywsgi", "WSGIServer", "__init__", _given("application"), Protocol.WSGI),
    # What granian speaks is known only where it calls: a target that it loads may be of RSGI, too.
    Server("granian.asgi", "LifespanProtocol", "__init__", _given("callable"), Protocol.ASGI),
    Server("granian.asgi", "", "_callback_wrapper", _given("callback"), Protocol.ASGI),
    Server("granian.wsgi", "", "_callback_wrapper", _given("callback"), Protocol.WSGI),
    Server("gunicorn.app.base", "BaseApplication", "wsgi", _returned),
    Server("hypercorn.utils", "", "wrap_app", _given("app")),
    Server("palfrey.config", "Config", "load", _kept, Protocol.ASGI),
    Server(
        "paste.httpserver", "WSGIServerBase", "__init__", _given("wsgi_application"), Protocol.WSGI
    ),
    Server("rocket3", "Rocket3", "__init__", _given_in("app_info", "wsgi_app"), Protocol.WSGI),
    Server("socketify.asgi", "_ASGI", "__init__", _given("app"), Protocol.ASGI),
    Server("socketify.wsgi", "_WSGI", "__init__", _given("app"), Protocol.WSGI),
    Server("tornado.wsgi", "WSGIContainer", "__init__", _given("wsgi_application"), Protocol.WSGI),
    Server("twisted.web.wsgi", "WSGIResource", "__init__", _given("application"), Protocol.WSGI),
    Server("uvicorn.config", "Config", "load", _kept, Protocol.ASGI),
    Server("waitress.server", "", "create_server", _given("application"), Protocol.WSGI),
    Server("werkzeug.serving", "BaseWSGIServer", "__init__", _given("app"), Protocol.WSGI),
    Server("wsgiref.simple_server", "WSGIServer", "set_app", _given("application"), Protocol.WSGI),
)


def enable(known: Callable[[Any, Protocol], bool], wrap: Callable[[Any, Protocol], Any]) -> None:
    """Have applications recorded that servers load from now on.

    Args:
        known: returns True for one of a framework that is recorded by itself where it is called
            by a protocol.
        wrap: returns the recorded application of one and its protocol.
    """

    def served(speaks: Protocol, app: Any, spoken: Protocol = Protocol.UNKNOWN) -> Any:
        made = None
        with failsafe.gate("zero code for a server"):
            protocol = _protocol(app, speaks if spoken is Protocol.UNKNOWN else spoken)
            if not callable(app) or any(known(layer, protocol) for layer in layers(app)):
                return app
            if protocol is not Protocol.UNKNOWN:
                made = wrap(app, protocol)
            else:
                _tell(app)
        return app if made is None else made

    if embedded_uwsgi.is_embedded():
        embedded_uwsgi.enable(functools.partial(served, Protocol.WSGI))
    for server in SERVERS:
        hook = functools.partial(_hook, server, functools.partial(served, server.speaks))
        if server.module in sys.modules:
            hook(sys.modules[server.module])
        else:
            register_post_import_hook(hook, server.module)


def _protocol(app: Any, spoken: Protocol) -> Protocol:
    """Return what an application speaks: as it tells, else as its server calls it."""
    told = detect(app)
    if told is not Protocol.UNKNOWN:
        return told
    # A class is an application of WSGI, made for each request; in ASGI it is of an older version.
    return Protocol.UNKNOWN if spoken is Protocol.ASGI and inspect.isclass(app) else spoken


def _tell(app: Any) -> None:
    """Tell why an application is not recorded."""
    print(  # noqa: T201
        f"retrace: cannot tell whether {app!r} is an ASGI or a WSGI application; nothing is"
        " recorded. Wrap it in retrace_mw.asgi.RetraceMiddleware or in"
        " retrace_mw.wsgi.RetraceMiddleware",
        file=sys.stderr,
    )


def _hook(server: Server, served: Served, module: ModuleType) -> None:
    with failsafe.gate(f"zero code for {server.module}"):
        owner: Any = getattr(module, server.owner) if server.owner else module
        original = getattr(owner, server.function)
        if not getattr(original, "retrace_inserted", False):
            hooked: Any = server.hooked(original, served)
            hooked.retrace_inserted = True
            setattr(owner, server.function, hooked)
