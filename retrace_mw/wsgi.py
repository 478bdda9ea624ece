"""The WSGI side: input, start_response, the iterable and its close()."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import GeneratorType
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core import failsafe
from retrace_core.boot.tape import serves_request
from retrace_core.current_scope import replay_scope
from retrace_core.http_clients.http_exchange import UNRECORDED
from retrace_core.native import LANE, OFF
from retrace_core.recording import Request
from retrace_mw.one_decision import SPOKEN, WSGI, decided, is_decided, over
from retrace_mw.opening import DECIDED, Gatekeeper
from retrace_mw.request import UNPREFIXED, RequestView, header_of
from retrace_mw.response_headers import ResponseHeaders
from retrace_mw.wsgi_input import InputTee

if TYPE_CHECKING:
    from retrace_core.lanes import Lane
    from retrace_core.scope import RecordingScope
    from retrace_mw.decision import Decider
    from retrace_mw.limits import Limits
    from retrace_mw.policy import Policy

__all__ = ["RetraceMiddleware"]

T = TypeVar("T")
Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]

_NO_MORE = ResponseHeaders()
_OWN_FIELDS = frozenset(
    "REQUEST_METHOD SCRIPT_NAME PATH_INFO QUERY_STRING SERVER_PROTOCOL CONTENT_TYPE"
    f" CONTENT_LENGTH {DECIDED}".split()
)


class RetraceMiddleware:
    """Record requests of a WSGI application; see `retrace_mw.RetraceMiddleware`.

    Args:
        app: the application.
        decide: says for each request whether to record it.
        limits: what recording may cost.
        options: any setting by name.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    records_requests = True
    """By which replay finds where in the application's stack the recording began."""

    def __init__(
        self,
        app: Any,
        *,
        decide: Decider | None = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        self.app = app
        self._gatekeeper = Gatekeeper(app, decide, limits, options)
        SPOKEN.add(WSGI)

    def __repr__(self) -> str:
        return f"RetraceMiddleware({self.app!r})"

    def policy(self) -> Policy:
        """Return what is in force now."""
        return self._gatekeeper.policy()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request; what is not to be recorded passes straight through."""
        gatekeeper = self._gatekeeper
        if gatekeeper.booting:
            gatekeeper.booted()
        lane = LANE.get()
        if lane is not None and lane.mode != OFF and not serves_request(lane):
            return self._nested(environ, start_response)
        policy = gatekeeper.policy()
        if not policy.enabled or DECIDED in environ or (len(SPOKEN) > 1 and is_decided(WSGI)):
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        environ[DECIDED] = True
        try:
            view = RequestView(environ, False, self.app, policy.trace_headers)
            if policy.awaits:
                decision = gatekeeper.verdict_waiting(policy, view)
            else:
                decision = gatekeeper.verdict(policy, view)
            if decision.verdict != "no" or (
                decision.warms and gatekeeper.warming.open and gatekeeper.warms(view)
            ):
                recording_scope = gatekeeper.open(policy, view, decision, lambda: describe(environ))
                if recording_scope is not None:
                    add = policy.response_headers if decision.verdict != "no" else _NO_MORE
                    return self._record(recording_scope, environ, start_response, view, add)
            known = decided(WSGI) if len(SPOKEN) > 1 else None
            token = UNRECORDED.set(view) if policy.hands_on else None
            try:
                chunks: Iterable[bytes] = self.app(environ, start_response)
            finally:
                if known is not None:
                    over(known)
                if token is not None:
                    UNRECORDED.reset(token)
            if token is None:
                return chunks
            # A generator runs while the server asks for its chunks; nothing else is wrapped, since
            # servers look at what they get (a list's length, a file to send).
            return UnrecordedChunks(chunks, view) if type(chunks) is GeneratorType else chunks
        finally:
            environ.pop(DECIDED, None)

    def _nested(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request inside a scope: a replay's own, or an outer middleware's."""
        replaying = replay_scope()
        if replaying is not None:
            return self._record(replaying, environ, start_response)
        return self.app(environ, start_response)  # type: ignore[no-any-return]

    def _record(
        self,
        recording_scope: RecordingScope,
        environ: Environ,
        start_response: StartResponse,
        view: RequestView | None = None,
        add: ResponseHeaders = _NO_MORE,
    ) -> Iterable[bytes]:
        if _has_body(environ):
            environ = {**environ, "wsgi.input": InputTee(environ["wsgi.input"], recording_scope)}
            if view is not None:
                view.source = environ  # what frameworks leave in it is seen at the end
        inside = _Inside(recording_scope.root)
        try:
            teed = _tee_start_response(recording_scope, start_response, add, view)
            chunks = inside.call(self.app, environ, teed)
        except BaseException as error:
            recording_scope.failed(error)
            recording_scope.close()
            raise
        sized = isinstance(chunks, (list, tuple))
        return (SizedResponseTee if sized else ResponseTee)(chunks, inside, recording_scope)


def _has_body(environ: Environ) -> bool:
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or bool(
        environ.get("HTTP_TRANSFER_ENCODING")
    )


def describe(environ: Environ) -> Request:
    """Return what came in, without its body."""
    headers: list[tuple[str, str]] = []
    extra: dict[str, Any] = {}
    for key, value in environ.items():
        name = header_of(key)
        if name is None:
            if (type(value) is str or isinstance(value, str | bool)) and key not in _OWN_FIELDS:
                extra[key] = value
        elif value or key not in UNPREFIXED:
            headers.append((name, str(value)))
    if "wsgi.file_wrapper" in environ:
        extra["wsgi.file_wrapper"] = True  # the class is the server's
    port = str(environ.get("SERVER_PORT", ""))
    client_port = str(environ.get("REMOTE_PORT", ""))
    return Request(
        protocol="wsgi",
        method=str(environ.get("REQUEST_METHOD", "")),  # a test may give none
        scheme=environ.get("wsgi.url_scheme", "http"),
        path=environ.get("PATH_INFO", ""),
        raw_path=str(environ.get("RAW_URI", environ.get("REQUEST_URI", ""))).encode(
            "latin-1", "replace"
        ),
        query=str(environ.get("QUERY_STRING", "")).encode("latin-1", "replace"),
        root_path=environ.get("SCRIPT_NAME", ""),
        http_version=str(environ.get("SERVER_PROTOCOL", "HTTP/1.1")).removeprefix("HTTP/"),
        server=(str(environ.get("SERVER_NAME", "")), int(port) if port.isdigit() else 0),
        client=(
            str(environ.get("REMOTE_ADDR", "")),
            int(client_port) if client_port.isdigit() else 0,
        ),
        headers=headers,
        extra=extra,
    )


def _tee_start_response(
    recording_scope: RecordingScope,
    start_response: StartResponse,
    add: ResponseHeaders,
    view: RequestView | None,
) -> StartResponse:
    def teed(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        try:
            code, _, reason = status.partition(" ")
            recording_scope.response_start(int(code), reason, headers)
            if view is not None:
                view.note_route()  # Flask forgets it as it ends
        except Exception as error:
            failsafe.report("response start", error)
        names = [given for given, _ in headers]
        more = add.missing(recording_scope.outgoing_headers, recording_scope.folder, names)
        headers = [*headers, *more]
        write = start_response(status, headers, *((exc_info,) if exc_info else ()))

        def teed_write(chunk: bytes) -> object:
            recording_scope.response_body(chunk)
            return write(chunk)

        return teed_write

    return teed


class _Inside:
    """Calls parts of the application in a lane, in the very context that the server calls us in.

    A copy of it would be seen: what the application sets there, as Flask does, must be reset in
    the same context. What we set goes with each call, since a server's thread keeps the rest.
    """

    __slots__ = ("_lane", "_late")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._late: Any = None
        """What hands the trace on since a late "no"."""

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a part of the application."""
        before = UNRECORDED.get()
        if self._late is not None:
            UNRECORDED.set(self._late)
        token = LANE.set(self._lane)
        try:
            return function(*args)
        finally:
            LANE.reset(token)
            now = UNRECORDED.get()
            if now is not before:
                self._late = now
                UNRECORDED.set(before)


class ResponseTee:
    """The application's iterable, run in the scope's lane, its chunks kept as they pass.

    Args:
        chunks: what the application returned.
        inside: calls the application in the scope's lane.
        recording_scope: keeps the chunks; closed by `close()`.
    """

    def __init__(
        self, chunks: Iterable[bytes], inside: _Inside, recording_scope: RecordingScope
    ) -> None:
        self._chunks = chunks
        self._inside = inside
        self._scope = recording_scope
        self._iterator: Iterator[bytes] | None = None
        self._done = False
        self._closed = False

    def __iter__(self) -> ResponseTee:
        return self

    def _next(self) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self._chunks)
        return next(self._iterator)

    def __next__(self) -> bytes:
        try:
            chunk: bytes = self._inside.call(self._next)
        except StopIteration:
            self._done = True
            raise
        except BaseException as error:
            self._scope.failed(error)
            raise
        try:
            self._scope.response_body(chunk)
        except Exception as error:
            failsafe.report("response body", error)
        return chunk

    def __del__(self) -> None:
        # A server that never calls close() breaks PEP 3333, but the recording is kept.
        if not self._closed:
            with failsafe.gate("close"):
                self._scope.response_end(complete=self._done)
                self._scope.close()

    def close(self) -> None:
        """Close the application's iterable and the scope."""
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                self._inside.call(close)
        except BaseException as error:
            self._scope.failed(error)
            raise
        finally:
            self._scope.response_end(complete=self._done)
            self._scope.close()
            self._closed = True  # until then `__del__` would do it, also where a signal came


class SizedResponseTee(ResponseTee):
    """One for lists: a server may send Content-Length by itself (PEP 3333)."""

    def __len__(self) -> int:
        return len(self._chunks)  # type: ignore[arg-type]


class UnrecordedChunks:
    """A generator's chunks, while whose making the request hands on its trace.

    Args:
        chunks: the application's generator.
        view: the request.
    """

    __slots__ = ("_chunks", "_view")

    def __init__(self, chunks: Iterator[bytes], view: RequestView) -> None:
        self._chunks: Any = chunks
        self._view = view

    def __iter__(self) -> UnrecordedChunks:
        return self

    def __next__(self) -> bytes:
        token = UNRECORDED.set(self._view)
        try:
            chunk: bytes = next(self._chunks)
        finally:
            UNRECORDED.reset(token)
        return chunk

    def close(self) -> None:
        """Close the generator."""
        token = UNRECORDED.set(self._view)
        try:
            self._chunks.close()
        finally:
            UNRECORDED.reset(token)
