"""smtplib: one event for each reply of the mail server.

What stands above is smtplib's own code, also on replay: greeting, logging in, who was
refused. What is asked is the command; passwords, and the mail itself, are not kept.

Hooks: `SMTP._get_socket` (connecting, an event only when it fails), `SMTP.putcmd` (what is
asked next), `SMTP.send`, `SMTP.getreply`, `SMTP.starttls`, and `SMTP.__init__`, which looks up
this machine's name. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import smtplib
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay
from retrace_core.native import REPLAY, current
from retrace_core.sockets.stub_socket import StubSocket

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT, _SEND, _REPLY, _TLS = "smtp.connect", "smtp.send", "smtp.reply", "smtp.starttls"
_ASKED = "_retrace_asked"
_WITH_ARGUMENTS = ("mail", "rcpt", "vrfy", "expn")


def _nothing() -> Any:
    return None


def _init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(
        self: Any,
        host: str = "",
        port: int = 0,
        local_hostname: Any = None,
        *rest: Any,
        **named: Any,
    ) -> None:
        if local_hostname is None and in_replay() and current() is None:
            local_hostname = "localhost"  # no name server is asked
        original(self, host, port, local_hostname, *rest, **named)

    return __init__


def _get_socket(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _get_socket(self: Any, host: str, port: int, timeout: Any) -> Any:
        lane = current()
        if lane is None:
            return StubSocket(host, port) if in_replay() else original(self, host, port, timeout)
        setattr(self, _ASKED, "greeting")
        live = functools.partial(original, self, host, port, timeout)
        stub = functools.partial(StubSocket, host, port)
        return attempt(lane, _CONNECT, f"{host}:{port}", live, stub)

    return _get_socket


def _putcmd(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def putcmd(self: Any, cmd: str, args: str = "") -> None:
        if current() is not None:
            # In a dialogue of logging in the command itself is a secret.
            verb = cmd.lower() if cmd.isalpha() and len(cmd) <= 8 else "auth"
            asked = f"{verb} {args}" if verb in _WITH_ARGUMENTS else verb
            setattr(self, _ASKED, asked)
        return original(self, cmd, args)

    return putcmd


def _send(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def send(self: Any, s: Any) -> None:
        lane = current()
        if lane is None:
            return original(self, s)
        if lane.mode == REPLAY and not isinstance(self.sock, StubSocket) and self.sock is not None:
            self.sock = StubSocket("", 0)  # of a connection that was opened live
        return attempt(
            lane, _SEND, None, functools.partial(original, self, s), lambda: original(self, s)
        )

    return send


def _getreply(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def getreply(self: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self)
        asked = getattr(self, _ASKED, None)
        try:
            return call(lane, _REPLY, asked, functools.partial(original, self))
        except smtplib.SMTPException:
            if lane.mode == REPLAY:
                self.close()
            raise

    return getreply


class _Context:
    """The TLS context of `starttls`: its handshake is an event when it fails."""

    def __init__(self, context: Any, lane: Any) -> None:
        self._context = context
        self._lane = lane

    def wrap_socket(self, sock: Any, **options: Any) -> Any:
        live = functools.partial(self._context.wrap_socket, sock, **options)
        return attempt(self._lane, _TLS, None, live, lambda: sock)


def _unverified() -> ssl.SSLContext:
    """Return what smtplib takes where no context is given."""
    context: ssl.SSLContext = cast("Any", ssl)._create_stdlib_context()
    return context


def _starttls(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def starttls(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None or any(args) or kwargs.keys() - {"context"}:
            return original(self, *args, **kwargs)
        given = kwargs.get("context") or _unverified()
        return original(self, context=_Context(given, lane))

    return starttls


BOUNDARY = Boundary(
    kind="smtp",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(smtplib.SMTP, "__init__", _init),
        Patch(smtplib.SMTP, "_get_socket", _get_socket),
        Patch(smtplib.SMTP_SSL, "_get_socket", _get_socket),
        Patch(smtplib.SMTP, "putcmd", _putcmd),
        Patch(smtplib.SMTP, "send", _send),
        Patch(smtplib.SMTP, "getreply", _getreply),
        Patch(smtplib.SMTP, "starttls", _starttls),
    ),
    errors=("smtplib", socket.gaierror, ssl.SSLError, ssl.SSLCertVerificationError),
)
