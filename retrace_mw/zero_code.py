"""Zero code: records an application that was not changed for it, under `retrace run`.

Each framework's application class gets its calls through a middleware, made when the
application is called first. An application that holds the middleware itself keeps its own.
Workers of task queues record their tasks.
"""

from __future__ import annotations

import functools
import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

from retrace_core import failsafe
from retrace_core.boundary import in_replay
from retrace_core.errors import ConfigurationError
from retrace_core.program import note_serving
from retrace_core.protocol import Protocol, holds_middleware
from retrace_mw import asgi, other_servers, served, wsgi
from retrace_mw.one_decision import ASGI, SPOKEN, WSGI

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["FRAMEWORKS", "Framework", "enable"]

_SEEN = "retrace.seen"
"""In the scope or environ of a request that an application further out has decided on."""


@dataclass(frozen=True, slots=True)
class Framework:
    """Where a framework is called: the class of its applications."""

    module: str
    name: str
    protocol: Protocol
    inner: str = ""
    """The method that an application is called by past its `__call__`, by who wraps it and by
    containers that are handed this one; "" for none."""


FRAMEWORKS = (
    Framework("django.core.handlers.asgi", "ASGIHandler", Protocol.ASGI),
    Framework("django.core.handlers.wsgi", "WSGIHandler", Protocol.WSGI),
    Framework("falcon.app", "App", Protocol.WSGI),
    Framework("falcon.asgi.app", "App", Protocol.ASGI),
    Framework("flask.app", "Flask", Protocol.WSGI, "wsgi_app"),
    Framework("litestar.app", "Litestar", Protocol.ASGI),
    Framework("pyramid.router", "Router", Protocol.WSGI),
    Framework("quart.app", "Quart", Protocol.ASGI, "asgi_app"),
    Framework("starlette.applications", "Starlette", Protocol.ASGI),
)

QUEUES = {"celery.app.trace": "retrace_mw.celery", "rq.worker": "retrace_mw.rq"}
"""Module by which a task queue's worker is known -> what has it recorded."""

_applications: dict[tuple[int, Any], tuple[Any, Any]] = {}
"""id, what it is called by -> (application, its middleware or None); kept together, so that no id
is reused."""

_servings: dict[tuple[int, Protocol], tuple[Any, Any]] = {}
"""id, protocol -> (application of no framework, what serves it); kept together likewise."""


def enable() -> None:
    """Have each framework's applications recorded, those loaded and those to come."""
    note_serving()
    for framework in FRAMEWORKS:
        insert = functools.partial(_insert, framework)
        if framework.module in sys.modules:
            insert(sys.modules[framework.module])
        else:
            register_post_import_hook(insert, framework.module)
    served.enable(_is_known, _recorded)
    other_servers.enable()
    for module, enabling in QUEUES.items():
        if module in sys.modules:
            _enable_queue(enabling)
        else:
            register_post_import_hook(functools.partial(_enable_queue, enabling), module)


def _is_known(app: Any, protocol: Protocol) -> bool:
    """Return True for an application that is recorded by itself where a protocol calls it.

    One of WSGI in one of ASGI may be called past its `__call__`, and has only a part of its work.
    """
    if isinstance(app, _Served):
        return True
    calls = (vars(kind).get("__call__") for kind in type(app).__mro__)
    spoken = (getattr(call, "retrace_inserted", None) for call in calls)
    return any(one is not None and protocol in (one, Protocol.UNKNOWN) for one in spoken)


def _enable_queue(enabling: str, _: ModuleType | None = None) -> None:
    with failsafe.gate(f"zero code for {enabling}"):
        importlib.import_module(enabling).enable()


def _insert(framework: Framework, module: ModuleType) -> None:
    with failsafe.gate(f"zero code for {framework.module}"):
        owner = getattr(module, framework.name)
        # Its middleware is made when it is called, which may be within one of the other protocol.
        SPOKEN.add(ASGI if framework.protocol is Protocol.ASGI else WSGI)
        for name in filter(None, ("__call__", framework.inner)):
            call = getattr(owner, name)
            if getattr(call, "retrace_inserted", None) is not None:
                continue
            inserted = (_asgi_call if framework.protocol is Protocol.ASGI else _wsgi_call)(call)
            inserted.retrace_inserted = framework.protocol
            setattr(owner, name, inserted)


def _asgi_call(call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if _SEEN in scope:
            await call(self, scope, receive, send)
            return
        middleware = _middleware(self, call, asgi.RetraceMiddleware)
        if middleware is None or in_replay():
            await call(self, scope, receive, send)
        else:
            scope[_SEEN] = True
            await middleware(scope, receive, send)

    return __call__


def _wsgi_call(call: Callable[..., Any]) -> Any:
    @functools.wraps(call)
    def __call__(self: Any, environ: Any, start_response: Any) -> Any:
        if _SEEN in environ:
            return call(self, environ, start_response)
        middleware = _middleware(self, call, wsgi.RetraceMiddleware)
        if middleware is None or in_replay():
            return call(self, environ, start_response)
        environ[_SEEN] = True
        return middleware(environ, start_response)

    return __call__


def _recorded(app: Any, protocol: Protocol) -> Any:
    """Return what serves an application: the same one to a server that takes it in two places."""
    asynchronous = protocol is Protocol.ASGI
    kind = _ServedByASGI if asynchronous else _ServedByWSGI
    _, one = _servings.setdefault((id(app), protocol), (app, kind(app)))
    make = asgi.RetraceMiddleware if asynchronous else wsgi.RetraceMiddleware
    _middleware(one, kind.call, make)  # now, on the main thread: it may watch signals
    return one


class _Served:
    """An application of no framework, as a server has loaded it.

    Servers look at how it is called, to tell which version of a protocol it is of: so it is an
    object with a `__call__` that is a coroutine function, or none, as applications have it.
    """

    def __init__(self, app: Any) -> None:
        self.app = app


class _ServedByASGI(_Served):
    def call(self, scope: Any, receive: Any, send: Any) -> Any:
        return self.app(scope, receive, send)

    __call__ = _asgi_call(call)


class _ServedByWSGI(_Served):
    def call(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)

    __call__ = _wsgi_call(call)


def _middleware(app: Any, call: Callable[..., Any], make: Callable[..., Any]) -> Any:
    key = (id(app), call)
    known = _applications.get(key)
    if known is None:
        made = None
        with failsafe.gate("zero code"):
            try:
                made = None if holds_middleware(app) else make(_Call(app, call))
            except ConfigurationError as error:  # the application itself is not to blame
                print(f"retrace: {error}; nothing is recorded", file=sys.stderr)  # noqa: T201
        known = _applications.setdefault(key, (app, made))
    return known[1]


class _Call:
    """The application as it was, called past what was inserted."""

    def __init__(self, app: Any, call: Callable[..., Any]) -> None:
        self.app = app
        self._call = call

    def __call__(self, *args: Any) -> Any:
        """Call the application."""
        return self._call(self.app, *args)
