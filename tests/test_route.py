"""Routes: the pattern that each framework's own router knows a request by."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import falcon
import falcon.asgi
import fastapi
import flask
import httpx
import litestar
import pytest
import quart
from django.http import HttpResponse
from django.urls import include, re_path
from django.urls import path as django_path
from hypothesis import given
from hypothesis import strategies as st
from pyramid.config import Configurator
from pyramid.response import Response
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router
from starlette.testclient import TestClient
from werkzeug.routing import UnicodeConverter
from werkzeug.test import Client, EnvironBuilder

from retrace_core import load
from retrace_core.writer import flush
from retrace_mw import Decision, RequestView, RetraceMiddleware
from retrace_mw.route import plain_pattern
from tests.test_frameworks import configure_django


def order(request: Any, **_: Any) -> Any:
    """Answer a Django request."""
    return HttpResponse("order")


urlpatterns = [
    django_path("orders/<int:id>/", order),
    django_path("shop/", include([django_path("items/<slug:name>", order)])),
    re_path(r"^old/(?P<year>\d{4})$", order),
]


def view(app: Any, path: str, *, asgi: bool, method: str = "GET", root: str = "") -> RequestView:
    """Return the view of a request that the application has not seen."""
    if asgi:
        scope = {
            "type": "http",
            "method": method,
            "path": root + path,
            "root_path": root,
            "query_string": b"",
            "headers": [(b"host", b"shop.test")],
        }
        return RequestView(scope, asgi=True, app=app)
    environ = EnvironBuilder(path, f"http://shop.test{root}", method=method).get_environ()
    return RequestView(environ, asgi=False, app=app)


def answer(request: Any) -> Any:
    """Answer a Starlette request."""
    return PlainTextResponse("ok")


def starlette() -> Any:
    """Starlette with mounts."""
    inner = Starlette(routes=[Route("/items/{name}", answer)])
    routes = [
        Route("/orders/{id:int}", answer, methods=["GET"]),
        Route("/orders/{id:int}", answer, methods=["DELETE"]),
        Mount("/shop", routes=[Route("/carts/{id}", answer), Mount("/in", app=inner)]),
        Mount("/files", app=answer),
        Host("api.test", app=Router(routes=[Route("/host/{id}", answer)])),
    ]
    return Starlette(routes=routes)


def fast() -> Any:
    """FastAPI with an included router and a mounted application."""
    app = fastapi.FastAPI()
    router = fastapi.APIRouter(prefix="/carts")

    @app.get("/orders/{id}")
    def get_order(id: int) -> str:
        return "order"

    @router.post("/{id}/pay")
    def pay(id: int) -> str:
        return "paid"

    app.include_router(router, prefix="/v1")
    below = fastapi.FastAPI()
    below.include_router(router)
    app.mount("/below", below)
    return app


def flask_app() -> Any:
    """Flask with a blueprint."""
    app = flask.Flask("shop")
    items = flask.Blueprint("items", "items", url_prefix="/shop")
    items.add_url_rule("/items/<name>", view_func=lambda name: name)
    app.register_blueprint(items)
    app.add_url_rule("/orders/<int:id>", view_func=lambda id: "order", endpoint="order")
    return app


def quart_app() -> Any:
    """Quart."""
    app = quart.Quart("shop")

    @app.get("/orders/<int:id>")
    async def get_order(id: int) -> str:
        return "order"

    return app


def django_app(kind: str) -> Any:
    """Django; the fixture `urlconf` gives it this module's urlpatterns."""
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    configure_django()
    return get_asgi_application() if kind == "asgi" else get_wsgi_application()


@pytest.fixture
def urlconf() -> Any:
    """Let Django use this module's urlpatterns, whoever has configured it."""
    from django.test import override_settings

    django_app("wsgi")
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"]):
        yield


class Order:
    """A Falcon resource."""

    def on_get(self, request: Any, response: Any, id: str) -> None:
        """Answer."""
        response.text = id


class AsyncOrder:
    """A Falcon resource under ASGI."""

    async def on_get(self, request: Any, response: Any, id: str) -> None:
        """Answer."""
        response.text = id


def falcon_app(app: Any) -> Any:
    """Falcon."""
    resource = AsyncOrder() if isinstance(app, falcon.asgi.App) else Order()
    app.add_route("/orders/{id:int}", resource)
    return app


def litestar_app() -> Any:
    """Litestar."""

    @litestar.get("/orders/{id:int}", sync_to_thread=False)
    def get_order(id: int) -> str:
        return "order"

    return litestar.Litestar([get_order])


def pyramid_app() -> Any:
    """Pyramid."""
    with Configurator() as config:
        config.add_route("order", r"/orders/{id:\d+}", request_method="GET")
        config.add_view(lambda request: Response("order"), route_name="order")
        return config.make_wsgi_app()


CASES = [
    ("starlette", starlette, True, "/orders/7", "/orders/{id:int}"),
    ("starlette", starlette, True, "/shop/carts/7", "/shop/carts/{id}"),
    ("starlette", starlette, True, "/shop/in/items/x", "/shop/in/items/{name}"),
    ("starlette", starlette, True, "/files/a.txt", "/files/*"),
    ("fastapi", fast, True, "/orders/7", "/orders/{id}"),
    ("fastapi", fast, True, "/v1/carts/7/pay", "/v1/carts/{id}/pay"),
    ("fastapi", fast, True, "/below/carts/7/pay", "/below/carts/{id}/pay"),
    ("flask", flask_app, False, "/orders/7", "/orders/<int:id>"),
    ("flask", flask_app, False, "/shop/items/x", "/shop/items/<name>"),
    ("quart", quart_app, True, "/orders/7", "/orders/<int:id>"),
    ("django", lambda: django_app("wsgi"), False, "/orders/7/", "/orders/<int:id>/"),
    ("django", lambda: django_app("asgi"), True, "/shop/items/x", "/shop/items/<slug:name>"),
    ("django", lambda: django_app("wsgi"), False, "/old/1999", r"/old/(?P<year>\d{4})"),
    ("falcon", lambda: falcon_app(falcon.App()), False, "/orders/7", "/orders/{id:int}"),
    ("falcon", lambda: falcon_app(falcon.asgi.App()), True, "/orders/7", "/orders/{id:int}"),
    ("litestar", litestar_app, True, "/orders/7", "/orders/{id}"),
    ("pyramid", pyramid_app, False, "/orders/7", r"/orders/{id:\d+}"),
]
IDS = [f"{name}-{'asgi' if asgi else 'wsgi'}-{path}" for name, _, asgi, path, _ in CASES]


@pytest.mark.usefixtures("urlconf")
@pytest.mark.parametrize(("name", "make", "asgi", "path", "route"), CASES, ids=IDS)
def test_the_router_is_asked_before_the_application_runs(
    name: str, make: Any, asgi: bool, path: str, route: str
) -> None:
    """At the start of a request its route is known already, and a wrong path has none."""
    app, method = make(), "POST" if path.endswith("/pay") else "GET"
    assert view(app, path, asgi=asgi, method=method).route == route
    assert view(app, "/no/such/path/at/all", asgi=asgi).route == ""


@pytest.mark.usefixtures("urlconf")
@pytest.mark.parametrize(("name", "make", "asgi", "path", "route"), CASES, ids=IDS)
def test_the_prefix_of_the_application_is_part_of_the_route(
    name: str, make: Any, asgi: bool, path: str, route: str
) -> None:
    """As it is part of the path."""
    app, method = make(), "POST" if path.endswith("/pay") else "GET"
    found = view(app, path, asgi=asgi, method=method, root="/eu")
    assert (found.path, found.route) == ("/eu" + path, "/eu" + route)


@pytest.mark.usefixtures("urlconf")
@pytest.mark.parametrize(("name", "make", "asgi", "path", "route"), CASES, ids=IDS)
def test_the_route_is_known_at_the_end(
    recordings: Any, name: str, make: Any, asgi: bool, path: str, route: str
) -> None:
    """Also where nobody asked at the start, and the framework has changed the scope since."""
    seen: list[str] = []

    def keep(finished: Any) -> Decision:
        seen.append(finished.request.route)
        return Decision("no")

    app = RetraceMiddleware(make(), decide=lambda _: Decision("tail", keep=keep), service="shop")
    method = "POST" if path.endswith("/pay") else "GET"
    if not asgi:
        Client(app).open(path, method=method, buffered=True)
    else:

        async def main() -> None:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as http:
                await http.request(method, path)

        asyncio.run(main())
    assert seen == [route]


def test_a_method_that_no_route_takes_has_the_path_s_route() -> None:
    """A 405 belongs to the route whose method is missing."""
    assert view(starlette(), "/orders/7", asgi=True, method="PUT").route == "/orders/{id:int}"


def test_a_host_s_routes_count_for_that_host() -> None:
    """Starlette's Host is asked with the request's own host."""
    found = view(starlette(), "/host/7", asgi=True)
    assert found.route == ""
    found.source["headers"] = [(b"host", b"api.test")]
    assert RequestView(found.source, asgi=True, app=found.app).route == "/host/{id}"


def test_middleware_around_the_application_is_looked_through() -> None:
    """As far as it keeps what it wraps in an attribute."""

    class Middleware:
        def __init__(self, app: Any) -> None:
            self.app = app

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return self.app(environ, start_response)

    wrapped = Middleware(Middleware(flask_app().wsgi_app))
    assert view(wrapped, "/orders/7", asgi=False).route == "/orders/<int:id>"


def test_an_application_without_a_router_has_no_routes() -> None:
    """A bare callable knows its paths by itself."""

    def bare(environ: Any, start_response: Any) -> list[bytes]:
        return []

    assert view(bare, "/orders/7", asgi=False).route == ""


def test_a_router_that_fails_is_no_failure() -> None:
    """Whatever a converter of the user's raises, the route is unknown and nothing else."""
    app = flask_app()
    app.url_map.bind = None  # type: ignore[assignment]
    assert view(app, "/orders/7", asgi=False).route == ""


def test_no_framework_is_imported() -> None:
    """A framework is known by what the application itself has imported."""
    import subprocess

    code = (
        "import sys; from retrace_mw import RequestView;"
        "v = RequestView({'type': 'http', 'method': 'GET', 'path': '/'}, asgi=True, app=print);"
        "assert v.route == '';"
        "assert not {'starlette', 'flask', 'django', 'falcon', 'litestar', 'pyramid'}"
        " & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("/orders/<int:id>", "/orders/{id}"),
        ("/orders/<id>/x", "/orders/{id}/x"),
        ("/orders/{id:int}", "/orders/{id}"),
        (r"/orders/{id:\d{4}}", "/orders/{id}"),
        ("/orders/{id}", "/orders/{id}"),
        ("/<any(a,b):kind>", "/{kind}"),
        ("/plain", "/plain"),
    ],
)
def test_patterns_compare_across_frameworks(given: str, plain: str) -> None:
    """However a placeholder is spelled, its plain form is {name}."""
    assert plain_pattern(given) == plain


@given(st.binary(max_size=60))
def test_any_query_is_read(query: bytes) -> None:
    """Whatever bytes come in, there are names and values."""
    found = RequestView({"type": "http", "query_string": query}, asgi=True).query
    assert all(found.values())


def test_a_query_has_all_values_of_a_name() -> None:
    """Repeated names keep their values in order, empty ones too."""
    scope = {"type": "http", "query_string": b"a=1&b=%C3%A4+x&a=&c"}
    assert RequestView(scope, asgi=True).query == {"a": ["1", ""], "b": ["ä x"], "c": [""]}


def test_a_query_without_end_is_cut() -> None:
    """A thousand fields are read, and no more."""
    scope = {"type": "http", "query_string": b"&".join(b"a=1" for _ in range(5000))}
    assert len(RequestView(scope, asgi=True).query["a"]) == 1000


@pytest.mark.parametrize(
    ("given", "host"), [("Shop.Test:8000", "shop.test"), ("shop", "shop"), ("[::1]:80", "[::1]")]
)
def test_the_host_has_no_port(given: str, host: str) -> None:
    """The name only, in lower case."""
    scope = {"type": "http", "headers": [(b"host", given.encode())]}
    assert RequestView(scope, asgi=True).host == host


def test_a_route_that_was_left_is_not_asked_again(recordings: Any) -> None:
    """A class of the application's own may do more there than to compare."""
    asked: list[str] = []

    class Noticing(Route):
        def matches(self, scope: Any) -> Any:
            asked.append(scope["path"])
            return super().matches(scope)

    async def home(request: Any) -> PlainTextResponse:
        return PlainTextResponse("home")

    inner = Starlette(routes=[Noticing("/home/{room}", home)])
    app = RetraceMiddleware(inner, sample_rate=1.0, service="shop")
    with TestClient(app) as client:
        assert client.get("/home/7").text == "home"
    assert asked == ["/home/7"]
    flush()
    (path,) = recordings.glob("*/shop/trace.bin")
    assert load(path).header.route == "/home/{room}"


def test_flask_is_asked_by_itself_alone(recordings: Any) -> None:
    """It takes its route away as the request ends; it is noted before, for routing takes time."""
    asked: list[str] = []

    class Sku(UnicodeConverter):
        def to_python(self, value: str) -> str:
            asked.append(value)
            return value

    app = flask.Flask("shop")
    app.url_map.converters["sku"] = Sku
    app.add_url_rule("/items/<sku:name>", "item", lambda name: name)
    Client(RetraceMiddleware(app)).get("/items/pear", buffered=True)
    assert flush()
    [path] = recordings.glob("*/*/trace.bin")
    assert load(path).header.route == "/items/{name}"
    assert asked == ["pear"]
