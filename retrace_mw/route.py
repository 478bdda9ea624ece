"""Route: the pattern that a framework's router knows a request by, "/orders/{id}".

At the start the application's own router is asked; at the end there is also what the framework
has left in the scope or the environ. A pattern is spelled as the framework spells it, and
begins with the prefix the application is mounted at.

| framework | asked at the start | left at the end |
|---|---|---|
| Starlette, FastAPI | `routes`, also of mounted applications | `scope["route"]` |
| Flask, Quart | `url_map` | `environ["werkzeug.request"].url_rule` (Flask) |
| Django | `get_resolver()` | |
| Falcon | the router's `find` | |
| Litestar | `asgi_router.handle_routing` | `scope["path_template"]` |
| Pyramid | the `IRoutesMapper` of its registry | |
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from retrace_core.environment import unwrapped
from retrace_core.weakly import weakly

__all__ = ["find_route", "left_route", "plain_pattern"]

Source = Any
"""An ASGI scope or a WSGI environ."""
Ask = Callable[[Any, Source, str, str], str]
"""(application, source, path below the prefix, method) -> pattern below the prefix, or ""."""

_PLACEHOLDER = re.compile(r"<(?:[^<>:]*:)?([^<>:]+)>|\{([^{}:]+):(?:[^{}]|\{[^{}]*\})*\}")
_PARTIAL, _FULL = 1, 2  # starlette.routing.Match

_known: dict[int, tuple[Callable[[], object], list[tuple[Callable[[], object], Ask]]]] = {}
"""id of an application -> what gives it, and those with a router in it, while they live."""


def find_route(source: Source, *, asgi: bool, app: object, method: str) -> str:
    """Return the pattern that matches a request, or "" where it can't be told; never raises.

    Args:
        source: the ASGI scope or the WSGI environ.
        asgi: which of them it is.
        app: the wrapped application.
        method: the request method.
    """
    # Asking a router is seen by routes, converters and resolvers of the application's own.
    left = left_route(source, asgi=asgi)
    if left and _is_whole(source, asgi):
        return left
    try:
        prefix, path = _split(source, asgi)
        for one, ask in _routers(source, app):
            found = ask(one, source, path, method)
            if found:
                return prefix + found
    except Exception:  # not found, in one of the many ways the frameworks say so
        pass
    return left


def left_route(source: Source, *, asgi: bool) -> str:
    """Return the pattern that the framework has left in the source, or ""; never raises."""
    try:
        if not asgi:
            rule = source["werkzeug.request"].url_rule
            return str(source.get("SCRIPT_NAME", "")) + str(rule.rule)
        template = source.get("path_template")
        if template:
            return str(source.get("root_path", "")) + str(template)
        if "app_root_path" not in source:  # what a mounted application leaves lacks its prefix
            return str(source.get("root_path", "")) + str(source["route"].path)
    except Exception:
        pass
    return ""


def _is_whole(source: Source, asgi: bool) -> bool:
    """Return False for a route that was left without the prefix of its FastAPI router."""
    if not asgi or "path_template" in source:
        return True
    matches: Any = getattr(getattr(source.get("route"), "path_regex", None), "match", None)
    return matches is not None and matches(_split(source, asgi)[1]) is not None


def plain_pattern(pattern: str) -> str:
    """Return a pattern with every placeholder as "{name}", however the framework spells it."""
    if "<" not in pattern and "{" not in pattern:
        return pattern
    return _PLACEHOLDER.sub(lambda match: "{" + (match[1] or match[2]) + "}", pattern)


def _split(source: Source, asgi: bool) -> tuple[str, str]:
    """Return (prefix the application is mounted at, path below it)."""
    if not asgi:
        raw: str = source.get("PATH_INFO", "")
        path = raw.encode("latin-1", "replace").decode("utf-8", "replace")
        return source.get("SCRIPT_NAME", ""), path or "/"
    path = source["path"]
    # Starlette's Mount changes root_path in place, and keeps the first one.
    prefix: str = source.get("app_root_path", source.get("root_path", "")).rstrip("/")
    if prefix and path.startswith(prefix + "/"):
        return prefix, path[len(prefix) :]
    return "", path


def _routers(source: Source, app: object) -> list[tuple[object, Ask]]:
    """Return the applications with a router in what is wrapped; found once for each app."""
    cached = _known.get(id(app))
    if cached is None or cached[0]() is not app or not cached[1]:
        found = [(weakly(one), ask) for one in unwrapped(app) if (ask := _ask_of(one)) is not None]
        cached = _known[id(app)] = (weakly(app, _known), found)
    if cached[1] or "app_root_path" in source:
        return [(one(), ask) for one, ask in cached[1]]
    named = source.get("app")  # a middleware that is a closure hides what it wraps
    ask = None if named is None else _ask_of(named)
    return [] if ask is None else [(named, ask)]


def _ask_of(app: object) -> Ask | None:
    for module, name, ask in _FRAMEWORKS:
        kind: Any = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(app, kind):
            return ask
    return None


def _ask_starlette(app: Any, source: Source, path: str, method: str) -> str:
    scope = {
        "type": source.get("type", "http"),
        "method": method,
        "path": path,
        "root_path": "",
        "headers": source.get("headers", ()),
        "query_string": source.get("query_string", b""),
        "path_params": {},
    }
    return _among(app.routes, scope)


def _among(routes: Iterable[Any], scope: dict[str, Any]) -> str:
    """Return the pattern of the first of Starlette's routes that matches, or ""."""
    partial = ""
    for route in routes:
        match, child = route.matches(scope)
        if match.value == _FULL:
            return _pattern(route, {**scope, **child})
        if match.value == _PARTIAL and not partial:
            partial = _pattern(route, {**scope, **child})
    return partial


def _pattern(route: Any, scope: dict[str, Any]) -> str:
    included = getattr(route, "effective_route_contexts", None)  # FastAPI's include_router
    if included is not None:
        return _among(included(), scope)
    route = getattr(route, "starlette_route", None) or route
    path = getattr(route, "path", "")  # Host has none
    inner = getattr(route, "routes", None)
    if inner is None:
        return str(path)
    below = _among(inner, scope)
    return f"{path}{below}" if below else f"{path}/*"


def _ask_flask(app: Any, source: Source, path: str, method: str) -> str:
    url_map = app.url_map
    host = _host(source)
    subdomain = None if url_map.host_matching else url_map.default_subdomain or ""
    name = app.config.get("SERVER_NAME")
    if app.subdomain_matching and name and host.endswith("." + name):
        subdomain = host[: -len(name) - 1]
    scheme = "ws" if source.get("type") == "websocket" else "http"
    adapter = url_map.bind(
        host, subdomain=subdomain, path_info=path, default_method=method, url_scheme=scheme
    )
    rule, _ = adapter.match(return_rule=True)
    return str(rule.rule)


def _host(source: Source) -> str:
    if "HTTP_HOST" in source:
        return str(source["HTTP_HOST"])
    for name, value in source.get("headers", ()):
        if name == b"host":
            return str(value.decode("latin-1"))
    return "localhost"


def _ask_django(_: Any, source: Source, path: str, method: str) -> str:
    urls: Any = sys.modules["django.urls"]
    route = str(urls.get_resolver().resolve(path).route)
    return "/" + route.replace("^", "").removesuffix("$").removesuffix("\\Z")


def _ask_falcon(app: Any, source: Source, path: str, method: str) -> str:
    if app.req_options.strip_url_path_trailing_slash and len(path) > 1:
        path = path.removesuffix("/")
    found = app._router.find(path)
    return "" if found is None else str(found[3] or "")


def _ask_litestar(app: Any, source: Source, path: str, method: str) -> str:
    normal = "/" + path.strip("/")
    asked = None if source.get("type") == "websocket" else method
    return str(app.asgi_router.handle_routing(path=normal, method=asked)[4] or "")


def _ask_pyramid(app: Any, source: Source, path: str, method: str) -> str:
    if app.routes_mapper is None:
        return ""
    request = app.request_factory(dict(source))  # a copy: it keeps its answers in there
    request.registry = app.registry
    route = app.routes_mapper(request)["route"]
    return "" if route is None else str(route.pattern)


_FRAMEWORKS: tuple[tuple[str, str, Ask], ...] = (
    ("starlette.applications", "Starlette", _ask_starlette),
    ("starlette.routing", "Router", _ask_starlette),
    ("flask.sansio.app", "App", _ask_flask),
    ("django.core.handlers.base", "BaseHandler", _ask_django),
    ("falcon.app", "App", _ask_falcon),
    ("litestar.app", "Litestar", _ask_litestar),
    ("pyramid.router", "Router", _ask_pyramid),
)
"""Where each framework's application class is, if that framework is loaded, and how to ask."""
