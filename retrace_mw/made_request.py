"""Made request: a RequestView of a request that nobody sent, to ask deciders about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from retrace_core.protocol import Protocol, detect
from retrace_mw.request import RequestView

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["make_request"]


class _MadeRequest(RequestView):
    """Nothing of it is counted."""

    __slots__ = ()

    def _tell_malformed(self, headers: tuple[str, ...]) -> None:
        return


def make_request(
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    query: str = "",
    client: str = "127.0.0.1",
    scheme: str = "http",
    app: Any = None,
) -> RequestView:
    """Return a request as the middleware would show it to a decider.

    Args:
        path: decoded or percent-encoded; what follows a "?" goes before `query`.
        method: the request method.
        headers: names and values; "Host: localhost" is added where there is none.
        query: what follows the question mark, encoded.
        client: the peer's address.
        scheme: "http" or "https".
        app: the application whose router is asked for the route; its protocol is spoken.
    """
    path, _, inline = path.partition("?")
    path = unquote(path if path.startswith("/") else f"/{path}")
    query = "&".join(part for part in (inline, query) if part)
    listed: list[tuple[str, str]] = []
    if isinstance(headers, Mapping):
        listed.extend(cast("Mapping[str, str]", headers).items())
    else:
        listed.extend(headers)
    if all(name.lower() != "host" for name, _ in listed):
        listed.append(("Host", "localhost"))
    wsgi = app is not None and detect(app) is Protocol.WSGI
    make = _environ if wsgi else _scope
    source = make(method.upper(), path, listed, query, client, scheme)
    return _MadeRequest(source, asgi=not wsgi, app=app)


def _scope(
    method: str, path: str, headers: list[tuple[str, str]], query: str, client: str, scheme: str
) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in headers
        ],
        "client": (client, 0),
        "server": ("localhost", 80),
    }


def _environ(
    method: str, path: str, headers: list[tuple[str, str]], query: str, client: str, scheme: str
) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": client,
        "wsgi.url_scheme": scheme,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]}, {value}" if key in environ else value
    return environ
