"""Pipes between processes: what a request receives is an event.

What it sends goes nowhere on replay. One that connects to a program of its own (a daemon on the
same machine) is connected to nothing then; whether it could be is an event.

Hooks: of `_ConnectionBase`, which all connections share, `recv`, `recv_bytes`, `recv_bytes_into`,
`poll`, `send` and `send_bytes`; and the code objects of `Client`, which connects, and of `wait`,
which says what may be received: these functions are imported by name. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import os
from multiprocessing import connection
from multiprocessing.connection import _ConnectionBase  # pyright: ignore
from multiprocessing.context import AuthenticationError, BufferTooShort, ProcessError
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call, mask
from retrace_core.calling import called_from
from retrace_core.code_hook import CodeHook, CodeHooks
from retrace_core.concurrency.ordering import is_infrastructure
from retrace_core.native import REPLAY, current
from retrace_core.programs.other_process import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _asked(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def hook(ask: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(ask)
        def asking(end: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None or is_infrastructure(called_from().f_code):
                return ask(end, *args, **options)
            live = functools.partial(ask, end, *args, **options)
            return call(lane, f"multiprocessing.{name}", None, live, packed, unpacked)

        return asking

    return hook


def _filling(ask: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(ask)
    def filling(end: Any, buf: Any, offset: int = 0) -> int:
        lane = current()
        if lane is None or is_infrastructure(called_from().f_code):
            return ask(end, buf, offset)

        def live() -> int:
            return ask(end, buf, offset)

        def came(size: int) -> bytes:
            with memoryview(buf) as view:
                start = offset * view.itemsize
                return bytes(view.cast("B")[start : start + size])

        def again(data: bytes) -> int:
            with memoryview(buf) as view:
                start = offset * view.itemsize
                view.cast("B")[start : start + len(data)] = data
            return len(data)

        return call(lane, "multiprocessing.recv_bytes_into", None, live, came, again)

    return filling


def _told(tell: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(tell)
    def telling(end: Any, *args: Any, **options: Any) -> None:
        lane = current()
        if lane is None or lane.mode != REPLAY or is_infrastructure(called_from().f_code):
            tell(end, *args, **options)

    return telling


def _waiting(live: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def waiting(object_list: Iterable[Any], timeout: float | None) -> list[Any]:
        lane = current()
        if lane is None or is_infrastructure(called_from(2).f_code):
            return live(object_list, timeout)
        ends = list(object_list)

        def places(ready: list[Any]) -> list[int]:
            return [place for place, end in enumerate(ends) if end in ready]

        def those(said: list[int]) -> list[Any]:
            return [ends[place] for place in said]

        asked = functools.partial(live, ends, timeout)
        return call(lane, "multiprocessing.wait", len(ends), asked, places, those)

    return waiting


def _connecting(live: Callable[..., Any]) -> Callable[..., Any]:
    def connecting(address: Any, family: Any, authkey: Any) -> Any:
        lane = current()
        if lane is None or is_infrastructure(called_from(2).f_code):
            return live(address, family, authkey)

        def made() -> Any:
            with mask():
                return live(address, family, authkey)

        return call(lane, "multiprocessing.client", address, made, _nothing, _to_nobody)

    return connecting


def _nothing(_: object) -> None:
    return None


def _to_nobody(_: object) -> Any:
    """Return a connection with nobody at its other end: what is received of it is recorded."""
    made: Any = connection.Connection
    return made(os.open(os.devnull, os.O_RDWR))


# Its code is what `Client` runs while hooked; the name is a global of `multiprocessing.connection`.
def Client(address: Any, family: Any = None, authkey: Any = None) -> Any:  # noqa: N802
    """Return a connection to whoever listens at an address."""
    return _retrace_Client(address, family, authkey)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


# Its code is what `wait` runs while hooked; the name is a global of `multiprocessing.connection`.
def wait(object_list: Any, timeout: float | None = None) -> Any:
    """Return those of some connections and processes that have something to say."""
    return _retrace_wait(object_list, timeout)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


_CODES = CodeHooks(CodeHook(connection, wait, _waiting), CodeHook(connection, Client, _connecting))


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *(Patch(_ConnectionBase, name, _asked(name)) for name in ("recv", "recv_bytes", "poll")),
        Patch(_ConnectionBase, "recv_bytes_into", _filling),
        *(Patch(_ConnectionBase, name, _told) for name in ("send", "send_bytes")),
    ),
    errors=(AuthenticationError, BufferTooShort, ProcessError),
    install=_CODES.install,
    remove=_CODES.remove,
)
