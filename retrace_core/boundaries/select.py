"""`select`: waiting for sockets that no boundary stands above, for several of them at once.

Client libraries with a loop of their own wait so (kazoo, pika's `SelectConnection`, asyncore), by
`selectors` or by themselves. An event loop of asyncio's own is let alone: what it watches for its
callers is told them by `add_reader` (`own_transport`).

Hooks: `select.poll`, `select.select` (and what `selectors` took hold of before); of
`select.poll` and `select.epoll` the methods `register`, `modify`, `unregister` and `poll`, and
`epoll.close`.
Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import select
import selectors
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.calling import called_from, package_of
from retrace_core.lane_hook import lane_hook
from retrace_core.native import current
from retrace_core.sockets.own_socket import own_at
from retrace_core.sockets.own_waiting import IN, OUT, PRI, Ready, wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_ALL = IN | OUT | PRI
_BITS = (IN, OUT, PRI)
_LOOPS = ("asyncio", "trio", "curio", "gevent", "eventlet")

_watched: dict[int, dict[int, tuple[Any, int]]] = {}
"""Id of a `poll` or `epoll` -> the own sockets that are registered there, by descriptor."""


def _is_of_loop(caller: FrameType | None) -> bool:
    while caller is not None and caller.f_globals.get("__name__") == "selectors":
        caller = caller.f_back
    return caller is not None and package_of(caller) in _LOOPS


def _select(original: Callable[..., Any]) -> Any:
    def waiting(rlist: Any, wlist: Any, xlist: Any, *timeout: Any) -> Any:
        lane, lists = current(), [list(rlist), list(wlist), list(xlist)]
        owns: dict[int, tuple[Any, int]] = {}
        for given, bit in zip(lists, _BITS, strict=True):
            for own in filter(None, map(own_at, given)):
                owns[own.fileno()] = own, owns.get(own.fileno(), (own, 0))[1] | bit
        if lane is None or not owns or _is_of_loop(called_from()):
            return original(*lists, *timeout)

        def asked(*until: Any) -> Ready:
            found: dict[int, int] = {}
            for some, bit in zip(original(*lists, *until), _BITS, strict=True):
                for one in map(_descriptor, some):
                    found[one] = found.get(one, 0) | bit
            return list(found.items())

        ready = dict(
            wait(lane, owns, lambda: asked(*timeout), lambda: asked(0), *timeout or (None,))
        )
        return tuple(
            [one for one in given if ready.get(_descriptor(one), 0) & bit]
            for given, bit in zip(lists, _BITS, strict=True)
        )

    return lane_hook(original, functools.wraps(original)(waiting))


def _descriptor(given: Any) -> int:
    return given if isinstance(given, int) else int(given.fileno())


def _register(original: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def register(self: Any, fd: Any, *eventmask: Any, **named: Any) -> Any:
        own = own_at(fd)
        if own is not None and not _is_of_loop(called_from()):
            events = eventmask[0] if eventmask else named.get("eventmask", _ALL)
            _watched.setdefault(id(self), {})[own.fileno()] = own, events
        return original(self, fd, *eventmask, **named)

    return lane_hook(original, register)


def _unregister(original: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def unregister(self: Any, fd: Any) -> Any:
        if (known := _watched.get(id(self))) is not None:
            known.pop(fd if isinstance(fd, int) else fd.fileno(), None)
            if not known:
                del _watched[id(self)]
        return original(self, fd)

    return lane_hook(original, unregister, anywhere=True)


def _close(original: Callable[..., None]) -> Any:
    @functools.wraps(original)
    def close(self: Any) -> None:
        _watched.pop(id(self), None)
        original(self)

    return lane_hook(original, close, anywhere=True)


def _poll(unit: int, original: Callable[..., Ready]) -> Any:
    @functools.wraps(original)
    def poll(self: Any, *args: Any, **named: Any) -> Ready:
        lane, known = current(), _watched.get(id(self))
        if not known or lane is None:
            return original(self, *args, **named)
        for one, (own, _) in list(known.items()):
            if own.fileno() != one:  # it was closed, and is not watched any more
                del known[one]
        if not known:
            return original(self, *args, **named)
        given = args[0] if args else named.get("timeout")
        timeout_s = None if given is None or given < 0 else given / unit
        live = functools.partial(original, self, *args, **named)
        return wait(lane, known, live, lambda: original(self, 0), timeout_s)

    return lane_hook(original, poll)


def _making(original: Callable[[], Any]) -> Any:
    @functools.wraps(original)
    def poll() -> Any:
        made = original()
        _watched.pop(id(made), None)  # that of another, which is gone
        return made

    return lane_hook(original, poll, anywhere=True)


def _making_static(original: Callable[[], Any]) -> Any:
    return staticmethod(_making(original))


def _hooks() -> tuple[Patch, ...]:
    hooks = [Patch(select, "select", _select)]
    if "_select" in vars(selectors.SelectSelector):
        hooks.append(Patch(selectors.SelectSelector, "_select", _static))
    pollers: list[tuple[Any, int]] = []  # each with how many of its units make a second
    if hasattr(select, "poll"):
        pollers.append((type(select.poll()), 1000))
        hooks.append(Patch(select, "poll", _making))
        if getattr(selectors.PollSelector, "_selector_cls", None) is select.poll:
            hooks.append(Patch(selectors.PollSelector, "_selector_cls", _making_static))
    if hasattr(select, "epoll"):
        pollers.append((select.epoll, 1))
        hooks.append(Patch(select.epoll, "close", _close))
    for cls, unit in pollers:
        hooks += [Patch(cls, name, _register) for name in ("register", "modify")]
        hooks.append(Patch(cls, "unregister", _unregister))
        hooks.append(Patch(cls, "poll", functools.partial(_poll, unit)))
    return tuple(hooks)


def _static(_: Any) -> Any:
    return staticmethod(select.select)


BOUNDARY = Boundary(kind="socket", supports="cpython>=3.11,<3.14", hooks=_hooks())
