"""Applications that know nothing of Retrace, one of each framework, as factories."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOTED = secrets.token_hex(4)


def now() -> str:
    """Return what differs in each process, and at each request."""
    return f"{BOOTED} {time.time()}"


def flask_wsgi() -> Any:
    """Flask."""
    import flask

    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=now)
    return app


def django_wsgi() -> Any:
    """Django under WSGI."""
    from django.core.wsgi import get_wsgi_application

    _configure_django()
    return get_wsgi_application()


def django_asgi() -> Any:
    """Django under ASGI."""
    from django.core.asgi import get_asgi_application

    _configure_django()
    return get_asgi_application()


def _configure_django() -> None:
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    if not settings.configured:
        patterns = type("patterns", (), {"urlpatterns": [path("", lambda _: HttpResponse(now()))]})
        settings.configure(ROOT_URLCONF=patterns, ALLOWED_HOSTS=["*"], SECRET_KEY="test")


def falcon_wsgi() -> Any:
    """Falcon under WSGI."""
    import falcon

    class Clock:
        def on_get(self, request: Any, response: Any) -> None:
            response.text = now()

    app = falcon.App()
    app.add_route("/", Clock())
    return app


def falcon_asgi() -> Any:
    """Falcon under ASGI."""
    import falcon.asgi

    class Clock:
        async def on_get(self, request: Any, response: Any) -> None:
            response.text = now()

    app = falcon.asgi.App()
    app.add_route("/", Clock())
    return app


def pyramid_wsgi() -> Any:
    """Pyramid."""
    from pyramid.config import Configurator
    from pyramid.response import Response

    with Configurator() as config:
        config.add_route("clock", "/")
        config.add_view(lambda request: Response(now()), route_name="clock")
        return config.make_wsgi_app()


def fastapi_asgi() -> Any:
    """FastAPI, with another one mounted."""
    from fastapi import FastAPI

    outer, inner = FastAPI(), FastAPI()
    inner.get("/")(now)
    outer.mount("/", inner)
    return outer


def failing_asgi() -> Any:
    """FastAPI, with another one mounted, which fails."""
    from fastapi import FastAPI

    def fail() -> None:
        raise LookupError("nothing there")

    outer, inner = FastAPI(), FastAPI()
    inner.get("/")(fail)
    outer.mount("/", inner)
    return outer


def starlette_asgi() -> Any:
    """Starlette."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    return Starlette(routes=[Route("/", lambda _: PlainTextResponse(now()))])


def litestar_asgi() -> Any:
    """Litestar."""
    import litestar

    return litestar.Litestar([litestar.get("/", sync_to_thread=False)(_typed_now)])


def _typed_now() -> str:
    return now()


_typed_now.__annotations__ = {"return": str}


def quart_asgi() -> Any:
    """Quart."""
    import quart

    app = quart.Quart(__name__)

    async def clock() -> str:
        return now()

    app.add_url_rule("/", view_func=clock)
    return app


def bare_wsgi() -> Any:
    """No framework at all, WSGI."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [now().encode()]

    return application


class _Hidden:
    """By a decorator that hides what it is called with."""

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return bare_wsgi()(request, *args, **kwargs)


def hidden_wsgi() -> Any:
    """No framework at all, and a signature that tells nothing of WSGI."""
    return _Hidden()


class _Made:
    """An application made for each request."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        self._start_response = start_response

    def __iter__(self) -> Iterator[bytes]:
        self._start_response("200 OK", [("Content-Type", "text/plain")])
        yield now().encode()


def class_wsgi() -> Any:
    """No framework at all, a class, as PEP 3333 has it."""
    return _Made


def bare_asgi() -> Any:
    """No framework at all, ASGI."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": now().encode()})

    return application


class _Adapted:
    """Flask in ASGI, called past its `__call__`."""

    def __init__(self, app: Any) -> None:
        from asgiref.wsgi import WsgiToAsgi

        self.app = app
        self._adapted = WsgiToAsgi(app.wsgi_app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._adapted(scope, receive, send)


def adapted_asgi() -> Any:
    """One of ASGI, that has one of WSGI in it."""
    return _Adapted(flask_wsgi())


BARE_ASGI = bare_asgi()
