"""ASGI scope: the connection scope of a recorded request, as a server gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.conversation import WEBSOCKET
from retrace_core.scope_keys import in_order

if TYPE_CHECKING:
    from retrace_core.recording import Request

__all__ = ["asgi_scope"]


def asgi_scope(request: Request, state: dict[str, Any]) -> dict[str, Any]:
    """Return the ASGI connection scope of a recorded request.

    Args:
        request: the recorded one, of HTTP or of a web socket.
        state: what the application's start-up has left for its requests.
    """
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": request.extra.get("asgi", {"version": "3.0"}),
        "http_version": request.http_version,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query,
        "root_path": request.root_path,
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers
        ],
        "client": request.client,
        "server": request.server,
        "state": dict(state),
        "extensions": request.extra.get("extensions", {}),
    }
    if request.protocol == WEBSOCKET:
        subprotocols = list(request.extra.get("subprotocols", ()))
        scope |= {"type": WEBSOCKET, "subprotocols": subprotocols}
    else:
        scope["method"] = request.method
    return in_order(scope, str(request.extra.get("keys", "")))
