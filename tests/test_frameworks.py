"""One line for each framework: a request is recorded, and replays identically."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import django
import falcon
import falcon.asgi
import httpx
import litestar
import pytest
import quart
from django.conf import settings
from django.http import HttpResponse
from django.urls import path as django_path
from pyramid.config import Configurator
from pyramid.response import Response
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.test import Client

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from pathlib import Path

urlpatterns = [django_path("", lambda request: HttpResponse(str(time.time())))]


def configure_django() -> None:
    """Make a Django project of this module, once."""
    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="test",
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.sites"],
            SITE_ID=1,
        )
        django.setup()


def django_wsgi() -> Any:
    """Django under WSGI."""
    from django.core.wsgi import get_wsgi_application

    configure_django()
    return RetraceMiddleware(get_wsgi_application())


def django_asgi() -> Any:
    """Django under ASGI."""
    from django.core.asgi import get_asgi_application

    configure_django()
    return RetraceMiddleware(get_asgi_application())


def falcon_wsgi() -> Any:
    """Falcon under WSGI."""

    class Clock:
        def on_get(self, request: Any, response: Any) -> None:
            response.text = str(time.time())

    app = falcon.App()
    app.add_route("/", Clock())
    return RetraceMiddleware(app)


def falcon_asgi() -> Any:
    """Falcon under ASGI."""

    class Clock:
        async def on_get(self, request: Any, response: Any) -> None:
            response.text = str(time.time())

    app = falcon.asgi.App()
    app.add_route("/", Clock())
    return RetraceMiddleware(app)


def pyramid_wsgi() -> Any:
    """Pyramid."""
    with Configurator() as config:
        config.add_route("clock", "/")
        config.add_view(lambda request: Response(str(time.time())), route_name="clock")
        return RetraceMiddleware(config.make_wsgi_app())


def starlette_asgi() -> Any:
    """Starlette."""
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(str(time.time())))])
    app.add_middleware(RetraceMiddleware)
    return app


def litestar_asgi() -> Any:
    """Litestar."""

    @litestar.get("/", sync_to_thread=False)
    def clock() -> str:
        return str(time.time())

    return RetraceMiddleware(litestar.Litestar([clock]))


def quart_asgi() -> Any:
    """Quart."""
    app = quart.Quart("clock")

    @app.get("/")
    async def clock() -> str:
        return str(time.time())

    app.asgi_app = RetraceMiddleware(app.asgi_app)  # type: ignore[method-assign]
    return app


def ask(app: Any, kind: str) -> str:
    """Send one request, and return what came."""
    if kind == "wsgi":
        return Client(app).get("/", buffered=True).get_data(as_text=True)

    async def main() -> str:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get("/")).text

    return asyncio.run(main())


MAKERS = [
    django_wsgi,
    django_asgi,
    falcon_wsgi,
    falcon_asgi,
    pyramid_wsgi,
    starlette_asgi,
    litestar_asgi,
    quart_asgi,
]


@pytest.mark.parametrize("make", MAKERS, ids=[make.__name__ for make in MAKERS])
def test_one_line_records_and_replays(recordings: Path, make: Any) -> None:
    """The clock that the request read comes back."""
    app = make()
    text = ask(app, make.__name__.rpartition("_")[2])
    assert float(text) > 0
    assert writer.flush()
    (file,) = recordings.glob("*/*/trace.bin")
    result = replay(load(file), app)
    assert result.identical, result.summary()
