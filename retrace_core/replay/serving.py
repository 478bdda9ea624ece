"""Serving: where the servers that a program may hand its application to begin to serve.

Each place is replaced for the time of a replay by one that gives the application away. It is
the latest at which no request can have come yet: what the program does after it has made its
server, and before it lets it serve, is done.
"""

from __future__ import annotations

import functools
import inspect
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

__all__ = ["Taker", "taken_from_servers"]


class Taker(Protocol):
    """Who gets the application; neither method returns where it is the one that is wanted."""

    def take(self, app: Any) -> None:
        """Take it on this thread."""
        ...

    def take_at_door(self) -> None:
        """Take what was recorded, wherever it is: what serves does not tell."""
        ...

    async def take_in_loop(self, app: Any) -> None:
        """Take it in the running event loop, to which it belongs."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server begins to serve."""

    module: str
    owner: str
    """The class that has the function, "" for the module itself."""
    function: str
    app: Callable[[inspect.BoundArguments], Any]
    """Returns the application of what the function is called with; None for none, `UNTOLD` where
    it serves, and does not tell what."""


UNTOLD = object()


def _of_uvicorn(given: inspect.BoundArguments) -> Any:
    server = given.arguments["self"]
    config = getattr(server, "config", server)
    if not config.loaded:
        config.load()
    return config.loaded_app


def _of_uvicorn_binding(given: inspect.BoundArguments) -> Any:
    # uvicorn starts its workers next; a program that binds a socket itself has more to do before
    # it has it served.
    binder = sys._getframe(3).f_globals.get("__name__", "")
    return _of_uvicorn(given) if binder.partition(".")[0] == "uvicorn" else None


def _of_gunicorn(given: inspect.BoundArguments) -> Any:
    return given.arguments["self"].app.wsgi()


def _of_waitress(given: inspect.BoundArguments) -> Any:
    server = given.arguments["self"]
    if hasattr(server, "application"):
        return server.application
    return next(one.application for one in server.map.values() if hasattr(one, "application"))


def _of_socketserver(given: inspect.BoundArguments) -> Any:
    # One of `http.server` that serves no WSGI application has none of these.
    server = given.arguments["self"]
    names = ("application", "app", "wsgi_application")
    return next(filter(None, (getattr(server, name, None) for name in names)), None)


def _of_gevent(given: inspect.BoundArguments) -> Any:
    # One that serves no WSGI has none.
    return getattr(given.arguments["self"], "application", None)


def _of_rocket(given: inspect.BoundArguments) -> Any:
    return given.arguments["self"]._threadpool.app_info["wsgi_app"]


def _attribute(name: str) -> Callable[[inspect.BoundArguments], Any]:
    return lambda given: getattr(given.arguments["self"], name)


def _argument(name: str) -> Callable[[inspect.BoundArguments], Any]:
    return lambda given: given.arguments[name]


PLACES = (
    Place("bjoern", "", "server_run", _argument("wsgi_app")),
    Place("cheroot.server", "HTTPServer", "prepare", _attribute("wsgi_app")),
    Place("daphne.server", "Server", "run", _attribute("application")),
    Place("eventlet.wsgi", "", "server", _argument("site")),
    Place("gevent.baseserver", "BaseServer", "start", _of_gevent),
    # Its socket is one in Rust, and no door.
    Place("granian.asgi", "LifespanProtocol", "__init__", _argument("callable")),
    Place("granian.asgi", "", "_callback_wrapper", _argument("callback")),
    Place("granian.wsgi", "", "_callback_wrapper", _argument("callback")),
    Place("gunicorn.arbiter", "Arbiter", "run", _of_gunicorn),
    Place("hypercorn.asyncio", "", "serve", _argument("app")),
    Place("rocket3", "Rocket3", "start", _of_rocket),
    # paste's pool of threads asks for one request after the other, and so does many a script.
    Place("socketserver", "BaseServer", "handle_request", _of_socketserver),
    Place("socketserver", "BaseServer", "serve_forever", _of_socketserver),
    Place("socketify.asgi", "ASGI", "run", _attribute("app")),
    Place("socketify.wsgi", "WSGI", "run", _attribute("app")),
    Place("tornado.wsgi", "WSGIContainer", "__init__", _argument("wsgi_application")),
    Place("twisted.internet.base", "ReactorBase", "run", lambda _: UNTOLD),
    Place("uvicorn.config", "Config", "bind_socket", _of_uvicorn_binding),
    Place("uvicorn.server", "Server", "run", _of_uvicorn),
    Place("uvicorn.server", "Server", "serve", _of_uvicorn),
    # Who holds its parts in its own hands (Streamlit) asks it to start, and serves then.
    Place("uvicorn.server", "Server", "startup", _of_uvicorn),
    Place("uvicorn.supervisors.basereload", "BaseReload", "run", _of_uvicorn),
    Place("uvicorn.supervisors.multiprocess", "Multiprocess", "run", _of_uvicorn),
    Place("waitress.server", "BaseWSGIServer", "run", _of_waitress),
    Place("waitress.server", "MultiSocketServer", "run", _of_waitress),
    # Before it asks for a socket, or starts itself again to reload.
    Place("werkzeug.serving", "", "run_simple", _argument("application")),
)


@contextmanager
def taken_from_servers(taker: Taker) -> Iterator[None]:
    """Have the applications taken that servers would serve while the block runs."""
    put_back: list[tuple[Any, str, Any]] = []
    over = False

    def replace(place: Place, module: ModuleType) -> None:
        owner: Any = getattr(module, place.owner, None) if place.owner else module
        original = getattr(owner, place.function, None)
        if not over and original is not None:
            setattr(owner, place.function, _hooked(place, original, taker))
            put_back.append((owner, place.function, original))

    for place in PLACES:
        hook = functools.partial(replace, place)
        if place.module in sys.modules:
            hook(sys.modules[place.module])
        else:
            register_post_import_hook(hook, place.module)
    try:
        yield
    finally:
        over = True
        for owner, name, original in reversed(put_back):
            setattr(owner, name, original)


def _hooked(place: Place, original: Callable[..., Any], taker: Taker) -> Callable[..., Any]:
    signature = inspect.signature(original)

    def app_of(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        return place.app(given)

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def in_loop(*args: Any, **kwargs: Any) -> Any:
            app = app_of(*args, **kwargs)
            if app is not None:
                await taker.take_in_loop(app)
            return await original(*args, **kwargs)

        return in_loop

    @functools.wraps(original)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        app = app_of(*args, **kwargs)
        if app is UNTOLD:
            taker.take_at_door()
        elif app is not None:
            taker.take(app)
        return original(*args, **kwargs)

    return hooked
