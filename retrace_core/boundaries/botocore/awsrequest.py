"""botocore, and so boto3: the early answer to an upload that says `Expect: 100-continue`.

All else of an exchange is recorded below, at http.client. Here is what goes past it: botocore
polls the socket for a second, and reads the lines of an early answer by itself.

Hooks: `urllib3.util.wait_for_read`, which by that name only botocore calls, and
`AWSConnection._handle_expect_response`. Read in botocore 1.35 to 1.43.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import urllib3.util
from botocore.awsrequest import AWSConnection

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_WAIT, _LINE = "http.wait", "http.line"


def _nothing() -> bytes:
    return b""


class _Lines:
    """The lines of an early answer: reading one is an event."""

    def __init__(self, file: Any, lane: Any) -> None:
        self._file = file
        self._lane = lane

    def readline(self) -> bytes:
        read = _nothing if self._file is None else self._file.readline
        line: bytes = call(self._lane, _LINE, None, read)
        return line

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Early:
    """A connection's socket while an early answer is read from it."""

    def __init__(self, sock: Any, lane: Any) -> None:
        self._sock = sock
        self._lane = lane

    def makefile(self, *args: Any, **kwargs: Any) -> _Lines:
        if self._lane.mode == REPLAY:
            return _Lines(None, self._lane)
        return _Lines(self._sock.makefile(*args, **kwargs), self._lane)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _wait_for_read(original: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(original)
    def wait_for_read(*args: Any, **kwargs: Any) -> bool:
        lane = current()
        live = functools.partial(original, *args, **kwargs)
        return live() if lane is None else call(lane, _WAIT, None, live)

    return wait_for_read


def _handle_expect_response(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def _handle_expect_response(self: Any, *args: Any, **kwargs: Any) -> None:
        lane = current()
        if lane is None:
            return original(self, *args, **kwargs)
        sock = self.sock
        self.sock = early = _Early(sock, lane)
        try:
            return original(self, *args, **kwargs)
        finally:
            if self.sock is early:
                self.sock = sock

    return _handle_expect_response


BOUNDARY = Boundary(
    kind="http",
    supports="botocore>=1.35",
    hooks=(
        Patch(urllib3.util, "wait_for_read", _wait_for_read),
        Patch(AWSConnection, "_handle_expect_response", _handle_expect_response),
    ),
    errors=("botocore.exceptions",),
)
