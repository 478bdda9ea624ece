"""Secure shell: what the boundaries of paramiko's modules share.

Connecting and logging in are events only when they fail; what a channel or SFTP says is one each
time. On replay a transport is paramiko's own, but has neither a socket nor a thread.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt, call, in_replay, mask
from retrace_core.checksum import checksum_of
from retrace_core.lane_hook import lane_hook
from retrace_core.native import current
from retrace_core.sockets.stub_socket import StubSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    Hook = Callable[[Callable[..., Any]], Callable[..., Any]]

__all__ = [
    "asking",
    "content_of",
    "is_stub",
    "make_stub",
    "outside",
    "place_of",
    "put_place",
    "setting_up",
]

_STUB, _PLACE = "_retrace_stub", "_retrace_place"
_SUMMED_FROM_BYTES = 8 * 1024


def make_stub(host: str, port: int) -> StubSocket:
    """Return what a transport of a replay has in the place of its socket."""
    return StubSocket(host, port)


def is_stub(transport: Any) -> bool:
    """Return True for a transport that a replay made."""
    return isinstance(getattr(transport, "sock", None), StubSocket)


def put_place(transport: Any, host: object, port: object) -> None:
    """Take note of where a transport leads."""
    transport.__dict__[_PLACE] = f"{host}:{port}"


def place_of(transport: Any) -> str:
    """Return where a transport leads, for keys."""
    return str(getattr(transport, _PLACE, ""))


def content_of(data: Any) -> Any:
    """Return what stands in a key for what is sent."""
    if isinstance(data, str):
        return data if len(data) < _SUMMED_FROM_BYTES else checksum_of(data.encode())
    try:
        content = bytes(data)
    except (TypeError, ValueError):
        return type(data).__name__  # paramiko tells the application
    return content if len(content) < _SUMMED_FROM_BYTES else checksum_of(content)


def asking(
    kind: str,
    key: Callable[..., object],
    transport: Callable[[Any], Any],
    silent: Any = None,
    said: Callable[[Any, Any], Any] | None = None,
    told: Callable[[Any, Any], Any] | None = None,
) -> Hook:
    """Return what hooks a method whose every call is an event.

    Args:
        kind: of the event.
        key: gets the arguments of a call; returns what is asked.
        transport: returns that of the object whose method it is.
        silent: what work of the process, which is no request's, is answered on replay, or a
            function that gets the arguments and returns that.
        said: gets object and outcome, returns that as a value; default: as it is.
        told: gets object and value, returns the outcome; default: as it is.
    """

    def nothing(asks: Any, args: tuple[Any, ...]) -> Any:
        return silent(asks, *args) if callable(silent) else silent

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asked(self: Any, *args: Any, **options: Any) -> Any:
            lane, live = current(), functools.partial(original, self, *args, **options)
            if lane is None:
                return nothing(self, args) if is_stub(transport(self)) else live()
            encode = None if said is None else functools.partial(said, self)
            decode = None if told is None else functools.partial(told, self)
            asks = [place_of(transport(self)), *_listed(key(self, *args, **options))]

            def ask() -> Any:
                return nothing(self, args) if is_stub(transport(self)) else live()

            return call(lane, kind, asks, ask, encode, decode)

        return lane_hook(original, asked, anywhere=True)

    return hook


def _listed(key: object) -> list[Any]:
    return key if isinstance(key, list) else [] if key is None else [key]


def setting_up(
    kind: str,
    transport: Callable[[Any], Any],
    stub: Callable[..., Any],
    key: Callable[..., object] = lambda *_, **__: None,
) -> Hook:
    """Return what hooks a method that is an event only when it fails.

    Args:
        kind: of that event.
        transport: returns that of the object whose method it is.
        stub: gets the arguments of a call; does on replay what is to be done.
        key: gets them, too; returns what is asked.
    """

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def set_up(self: Any, *args: Any, **options: Any) -> Any:
            lane, live = current(), functools.partial(original, self, *args, **options)

            def stand_in() -> Any:
                with mask():
                    return stub(self, *args, **options)

            if lane is None:
                return stand_in() if in_replay() and is_stub(transport(self)) else live()
            asks = [place_of(transport(self)), *_listed(key(self, *args, **options))]
            return attempt(lane, kind, asks, live, stand_in)

        return set_up

    return hook


def outside(transport: Callable[[Any], Any], stub: Callable[..., Any]) -> Hook:
    """Return what hooks a method that is no event at all; args: as for `setting_up`."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def run(self: Any, *args: Any, **options: Any) -> Any:
            with mask():
                replaced = stub if is_stub(transport(self)) else original
                return replaced(self, *args, **options)

        return run

    return hook
