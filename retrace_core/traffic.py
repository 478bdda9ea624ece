"""Traffic: what came in and what went out of one request, as far as it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core import failsafe
from retrace_core.codec import pack_exception
from retrace_core.failure import describe
from retrace_core.recording import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.recording import Failure

__all__ = ["Traffic"]


class Traffic:
    """Keeps copies of the bodies as they flow, up to a limit; no method of it ever raises.

    Args:
        request: what came in, without its body.
        body_limit_bytes: how much of each body is kept; what flows is never cut.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_body_error",
        "_body_limit_bytes",
        "_request",
        "_response",
        "_response_body",
        "_response_bytes",
        "_response_chunks",
        "_response_complete",
        "_sealed",
        "failure",
    )

    def __init__(self, request: Request, body_limit_bytes: int) -> None:
        self._request = request
        self._body_limit_bytes = body_limit_bytes
        self._sealed = False
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._body_error: object = None
        self._response: tuple[int, str, Headers] | None = None
        self._response_body: list[bytes] = []
        self._response_bytes = 0
        self._response_chunks = 0
        self._response_complete = False
        self.failure: Failure | None = None

    def request_body(self, chunk: bytes) -> None:
        """Keep a chunk of the request body as the application received it."""
        if self._sealed:
            return
        self._body_bytes += len(chunk)
        if self._body_bytes <= self._body_limit_bytes:
            self._body.append(bytes(chunk))

    def request_body_failed(self, error: BaseException) -> None:
        """Keep the exception that reading the request body raised."""
        with failsafe.gate("request body"):
            self._body_error = pack_exception(error)

    def response_start(self, status: int, reason: str, headers: Sequence[tuple[Any, Any]]) -> None:
        """Keep the status line and the headers, given as text or bytes."""
        try:
            self._response = (status, reason, [(_text(n), _text(v)) for n, v in headers])
        except Exception as error:
            failsafe.report("response start", error)

    def response_body(self, chunk: bytes) -> None:
        """Keep a chunk of the response body, up to the limit."""
        if self._sealed:
            return
        self._response_chunks += 1
        self._response_bytes += len(chunk)
        if self._response_bytes <= self._body_limit_bytes:
            self._response_body.append(bytes(chunk))

    def response_end(self, complete: bool) -> None:
        """Say whether the whole response went out (False: the client had gone)."""
        self._response_complete = complete

    def said(self, message: object) -> None:
        """Do nothing: what a web socket's messages hold is in the events."""

    def failed(self, error: BaseException) -> None:
        """Keep the exception that left the application, with its traceback."""
        with failsafe.gate("failure"):
            self.failure = describe(error)

    def handled(self, error: BaseException) -> None:
        """Keep an exception that the application handled, and logged as an error."""
        with failsafe.gate("failure"):
            if self.failure is None:
                self.failure = describe(error, handled=True)

    @property
    def status(self) -> int:
        """The response's status, or 0 where none was begun."""
        return self._response[0] if self._response is not None else 0

    @property
    def response_headers(self) -> Headers:
        """The response's headers, as far as they went out."""
        return self._response[2] if self._response is not None else []

    @property
    def complete(self) -> bool:
        """True when the whole response went out."""
        return self._response_complete

    def _body_size(self) -> int:
        limit = self._body_limit_bytes
        return min(self._body_bytes, limit) + min(self._response_bytes, limit) + 2048

    def _whole_request(self) -> Request:
        request = self._request
        if not self._body_bytes and self._body_error is None:
            return request
        return msgspec.structs.replace(
            request,
            body=self._body,
            body_bytes=self._body_bytes,
            body_cut=self._body_bytes > self._body_limit_bytes,
            body_error=self._body_error,
        )

    def _whole_response(self) -> Response | None:
        if self._response is None:
            return None
        status, reason, headers = self._response
        return Response(
            status=status,
            reason=reason,
            headers=headers,
            body=self._response_body,
            body_bytes=self._response_bytes,
            body_cut=self._response_bytes > self._body_limit_bytes,
            complete=self._response_complete,
            chunks=self._response_chunks,
        )

    def _forget_bodies(self) -> None:
        self._body, self._response_body = [], []


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
