"""Pipes between processes: what a request receives is an event.

What it sends goes nowhere on replay.

Hooks: of `_ConnectionBase`, which all connections share, `recv`, `recv_bytes`, `poll`, `send` and
`send_bytes`; and the code object of `wait`, which says what may be received: the function is
imported by name. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import sys
from multiprocessing import connection
from multiprocessing.connection import _ConnectionBase  # pyright: ignore
from multiprocessing.context import AuthenticationError, BufferTooShort, ProcessError
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.code_hook import CodeHook
from retrace_core.native import REPLAY, current
from retrace_core.ordering import is_infrastructure
from retrace_core.other_process import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _asked(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def hook(ask: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(ask)
        def asking(end: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None or is_infrastructure(sys._getframe(1).f_code):
                return ask(end, *args, **options)
            live = functools.partial(ask, end, *args, **options)
            return call(lane, f"multiprocessing.{name}", None, live, packed, unpacked)

        return asking

    return hook


def _told(tell: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(tell)
    def telling(end: Any, *args: Any, **options: Any) -> None:
        lane = current()
        if lane is None or lane.mode != REPLAY or is_infrastructure(sys._getframe(1).f_code):
            tell(end, *args, **options)

    return telling


def _waiting(live: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def waiting(object_list: Iterable[Any], timeout: float | None) -> list[Any]:
        lane = current()
        if lane is None or is_infrastructure(sys._getframe(2).f_code):
            return live(object_list, timeout)
        ends = list(object_list)

        def places(ready: list[Any]) -> list[int]:
            return [place for place, end in enumerate(ends) if end in ready]

        def those(said: list[int]) -> list[Any]:
            return [ends[place] for place in said]

        asked = functools.partial(live, ends, timeout)
        return call(lane, "multiprocessing.wait", len(ends), asked, places, those)

    return waiting


# Its code is what `wait` runs while hooked; the name is a global of `multiprocessing.connection`.
def wait(object_list: Any, timeout: float | None = None) -> Any:
    """Return those of some connections and processes that have something to say."""
    return _retrace_wait(object_list, timeout)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


_CODE = CodeHook(connection, wait, _waiting)

BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *(Patch(_ConnectionBase, name, _asked(name)) for name in ("recv", "recv_bytes", "poll")),
        *(Patch(_ConnectionBase, name, _told) for name in ("send", "send_bytes")),
    ),
    errors=(AuthenticationError, BufferTooShort, ProcessError),
    install=_CODE.install,
    remove=_CODE.remove,
)
