"""Endpoint: saves the flight recorder when an alert's webhook posts to it."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from retrace_core.current_scope import active_scope
from retrace_core.errors import ConfigurationError
from retrace_core.flight_recorder import save_recent
from retrace_core.scope import RecordingScope
from retrace_core.stats import count
from retrace_mw.pending import Pending
from retrace_mw.request import RequestView

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FlightRecorderEndpoint", "flight_recorder_endpoint"]

SECRET_HEADER = "X-Retrace-Secret"
_SHORTEST = 16
_REASON_CHARACTERS = 200

_Answer = tuple[int, str, dict[str, object]]


class FlightRecorderEndpoint:
    """Two small applications, `asgi` and `wsgi`, to mount one of; by `flight_recorder_endpoint`.

    `POST ?reason=...&trace_id=...&last_s=...`, each of them optional, with the secret in the
    header X-Retrace-Secret, is answered by `{"saved": 12}`. The body is not read, so that any
    system that can call a webhook can call this one. Its own requests are never recorded, for
    the secret's sake.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return "flight_recorder_endpoint(secret=...)"

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request as an ASGI application."""
        if scope["type"] != "http":
            raise RuntimeError(f"the flight recorder's endpoint speaks http, not {scope['type']}")
        status, _, said = self._answer(RequestView(scope, asgi=True))
        body = json.dumps(said).encode()
        headers = [(name.lower().encode(), value.encode()) for name, value in _headers(body)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def wsgi(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer one request as a WSGI application."""
        status, reason, said = self._answer(RequestView(environ, asgi=False))
        body = json.dumps(said).encode()
        start_response(f"{status} {reason}", _headers(body))
        return [body]

    def _answer(self, request: RequestView) -> _Answer:
        _stop_recording()
        if request.method != "POST":
            return 405, "Method Not Allowed", {"error": "POST only"}
        given = request.header(SECRET_HEADER).encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            count("flight_recorder.forbidden")
            return 403, "Forbidden", {"error": f"{SECRET_HEADER} is missing or wrong"}
        query = parse_qs(request.query_string, max_num_fields=20)
        asked = {name: values[0] for name, values in query.items()}
        last_s: float | None = None
        if "last_s" in asked:
            try:
                last_s = float(asked["last_s"])
            except ValueError:
                last_s = -1.0
            if not 0 <= last_s <= 86_400:
                return 400, "Bad Request", {"error": "last_s must be seconds, 0 to 86400"}
        reason = asked.get("reason", "")[:_REASON_CHARACTERS]
        reason = "".join(c for c in reason if c.isprintable())
        told = f"webhook: {reason}" if reason else "webhook"
        return 200, "OK", {"saved": save_recent(told, asked.get("trace_id"), last_s)}


def _stop_recording() -> None:
    """Drop the recording of this very request, where there is one: it would hold the secret."""
    recording_scope: Any = active_scope()
    if isinstance(recording_scope, RecordingScope):
        pending = recording_scope.judge
        recording_scope.discard()
        if isinstance(pending, Pending):
            pending.limiter.ended()


def _headers(body: bytes) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("Allow", "POST"),
    ]


def flight_recorder_endpoint(secret: str) -> FlightRecorderEndpoint:
    """Return what an alert's webhook posts to, as `.asgi` and as `.wsgi`.

    Whoever has the secret can have recordings written, as many as memory holds. It reaches the
    one process that answers the request, unless `share_keeps` is on and it names a trace.

    Args:
        secret: what the header X-Retrace-Secret must be, of at least 16 characters; it is
            compared in constant time.

    Raises:
        ConfigurationError: the secret is too short.
    """
    if len(secret) < _SHORTEST:
        raise ConfigurationError("secret", "***", f"at least {_SHORTEST} characters")
    return FlightRecorderEndpoint(secret)
