"""The ASGI side: messages in and out, and when the response has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, writer
from retrace_core.boot.tape import in_boot_lane, serves_request
from retrace_core.boundary import call_async
from retrace_core.conversation import SENT, WEBSOCKET, ConversationTee, Message, kept
from retrace_core.current_scope import replay_scope
from retrace_core.http_clients.http_exchange import UNRECORDED
from retrace_core.native import LANE, OFF, current
from retrace_core.recording import Request
from retrace_core.scope_keys import letters_of
from retrace_mw.one_decision import ASGI, SPOKEN, decided, is_decided, over
from retrace_mw.opening import DECIDED, Gatekeeper
from retrace_mw.request import RequestView
from retrace_mw.response_headers import ResponseHeaders

if TYPE_CHECKING:
    from retrace_core.scope import RecordingScope
    from retrace_mw.decision import Decider
    from retrace_mw.limits import Limits
    from retrace_mw.policy import Policy

__all__ = ["RetraceMiddleware"]

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_NO_MORE = ResponseHeaders()
_HEAD_AND_BODY = frozenset(("http.response.start", "http.response.body"))
_RECORDED = frozenset(("http", WEBSOCKET))


class RetraceMiddleware:
    """Record requests of an ASGI application; see `retrace_mw.RetraceMiddleware`.

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
        SPOKEN.add(ASGI)

    def __repr__(self) -> str:
        return f"RetraceMiddleware({self.app!r})"

    def policy(self) -> Policy:
        """Return what is in force now."""
        return self._gatekeeper.policy()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one connection; what is not to be recorded passes straight through."""
        if scope["type"] not in _RECORDED:
            await self._pass_on(scope, receive, send)
            return
        gatekeeper = self._gatekeeper
        if gatekeeper.booting:
            gatekeeper.booted()
        lane = LANE.get()
        if lane is not None and lane.mode != OFF and not serves_request(lane):
            await self._nested(scope, receive, send)
            return
        policy = gatekeeper.policy()
        if not policy.enabled or DECIDED in scope or (len(SPOKEN) > 1 and is_decided(ASGI)):
            await self.app(scope, receive, send)
            return
        scope[DECIDED] = True
        try:
            view = RequestView(scope, True, self.app, policy.trace_headers)
            if policy.awaits:
                decision = await gatekeeper.verdict_async(policy, view)
            else:
                decision = gatekeeper.verdict(policy, view)
            if decision.verdict != "no" or (
                decision.warms and gatekeeper.warming.open and gatekeeper.warms(view)
            ):
                recording_scope = gatekeeper.open(
                    policy, view, decision, lambda: describe(scope), scope.get("app")
                )
                if recording_scope is not None:
                    add = policy.response_headers if decision.verdict != "no" else _NO_MORE
                    await self._record(recording_scope, scope, receive, send, add)
                    return
            known = decided(ASGI) if len(SPOKEN) > 1 else None
            token = UNRECORDED.set(view) if policy.hands_on else None
            try:
                await self.app(scope, receive, send)
            finally:
                if known is not None:
                    over(known)
                try:
                    if token is not None:
                        UNRECORDED.reset(token)
                except ValueError:  # set in another context: that one is gone with its task
                    UNRECORDED.set(None)
        finally:
            scope.pop(DECIDED, None)

    async def _pass_on(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve what is no request: start-up and shutdown."""
        try:
            with in_boot_lane():
                await self.app(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                # A server may end by the signal that it got, past `atexit`.
                writer.finish()

    async def _nested(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve a connection inside a scope: a replay's own, or an outer middleware's."""
        replaying = replay_scope()
        if replaying is not None:
            await self._record(replaying, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _record(
        self,
        recording_scope: RecordingScope,
        scope: Any,
        receive: Receive,
        send: Send,
        add: ResponseHeaders = _NO_MORE,
    ) -> None:
        token, unrecorded = recording_scope.enter(), UNRECORDED.get()
        try:
            if scope["type"] == WEBSOCKET:
                await self._converse(recording_scope, scope, receive, send, add)
            else:
                await self.app(
                    scope,
                    tee_receive(recording_scope, receive),
                    tee_send(recording_scope, send, add),
                )
        except BaseException as error:
            recording_scope.failed(error)
            raise
        finally:
            recording_scope.exit(token)
            recording_scope.close()
            if UNRECORDED.get() is not unrecorded:  # a late "no"
                UNRECORDED.set(unrecorded)

    async def _converse(
        self,
        recording_scope: RecordingScope,
        scope: Any,
        receive: Receive,
        send: Send,
        add: ResponseHeaders,
    ) -> None:
        """Serve a web socket: the whole conversation is one recording."""

        def outgoing(message: Message) -> Message:
            if message["type"] in ("websocket.accept", "websocket.http.response.start"):
                return _with_headers(recording_scope, message, add)
            return message

        tee = ConversationTee(recording_scope, receive, send, outgoing)
        await self.app(scope, tee.receive, tee.send)
        tee.ended()


def describe(scope: Any) -> Request:
    """Return what came in, without its body; of a web socket, its handshake."""
    server, client = scope.get("server"), scope.get("client")
    extensions = scope.get("extensions") or {}
    return Request(
        protocol=WEBSOCKET if scope["type"] == WEBSOCKET else "asgi",
        method=scope.get("method", "GET"),  # a handshake's is in no scope
        scheme=scope.get("scheme", "http"),
        path=scope["path"],
        raw_path=bytes(scope.get("raw_path") or scope["path"].encode()),
        query=bytes(scope.get("query_string", b"")),
        root_path=scope.get("root_path", ""),
        http_version=scope.get("http_version", "1.1"),
        server=(str(server[0]), int(server[1] or 0)) if server else None,
        client=(str(client[0]), int(client[1] or 0)) if client else None,
        headers=[(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]],
        extra={
            "asgi": {name: str(value) for name, value in scope.get("asgi", {}).items()},
            "keys": letters_of(scope),
            **({"extensions": {name: {} for name in extensions}} if extensions else {}),
            **({"subprotocols": list(scope["subprotocols"])} if scope.get("subprotocols") else {}),
        },
    )


def tee_receive(recording_scope: RecordingScope, receive: Receive) -> Receive:
    """Return `receive` such that what it gives is kept, and is an event of the lane."""

    async def teed() -> Message:
        lane = current()
        try:
            if lane is None:
                message = await receive()
            else:
                message = await call_async(lane, "asgi.receive", None, receive)
        except Exception as error:
            recording_scope.request_body_failed(error)
            raise
        if message["type"] == "http.request":
            with failsafe.gate("request body"):
                recording_scope.request_body(message.get("body", b""))
        return message

    return teed


def tee_send(recording_scope: RecordingScope, send: Send, add: ResponseHeaders = _NO_MORE) -> Send:
    """Return `send` such that what goes out is kept, and its completion is an event.

    The event holds no body: that a message went out, or could not, is the answer. Other messages
    than head and body (a path to send, early hints, trailers) are kept in theirs.
    """

    async def teed(message: Message) -> None:
        outgoing = _note(recording_scope, message, add)
        lane, kind = current(), message["type"]
        if lane is None:
            await send(outgoing)
        elif kind in _HEAD_AND_BODY:
            await call_async(lane, SENT, kind, lambda: send(outgoing))
        else:
            await call_async(lane, SENT, kind, lambda: send(outgoing), lambda _: kept(message))
            recording_scope.said(kept(message))

    return teed


def _note(recording_scope: RecordingScope, message: Message, add: ResponseHeaders) -> Message:
    kind = message["type"]
    if kind == "http.response.start":
        recording_scope.response_start(message["status"], "", list(message.get("headers", ())))
        return _with_headers(recording_scope, message, add)
    elif kind == "http.response.body":
        try:
            recording_scope.response_body(message.get("body", b""))
        except Exception as error:
            failsafe.report("response body", error)
        if not message.get("more_body", False):
            recording_scope.response_end(complete=True)
    elif kind == "http.response.pathsend" or (
        kind == "http.response.zerocopysend" and not message.get("more_body", False)
    ):
        recording_scope.response_end(complete=True)
    return message


def _with_headers(
    recording_scope: RecordingScope, message: Message, add: ResponseHeaders
) -> Message:
    headers: list[tuple[bytes, bytes]] = list(message.get("headers") or [])
    names = [bytes(given).decode("latin-1") for given, _ in headers]
    more = add.missing(recording_scope.outgoing_headers, recording_scope.folder, names)
    if not more:
        return message
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in more]
    return {**message, "headers": [*headers, *encoded]}
