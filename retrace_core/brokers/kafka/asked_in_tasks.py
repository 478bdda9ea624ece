"""Asked in tasks: what a client of Kafka with coroutine methods answers a request, as events.

What tasks of the process ask is nobody's event: on replay they get nothing, since no client is
there.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt, attempt_async, call, call_async, in_replay, mask
from retrace_core.brokers.kafka.plain_values import asked_value, packed, unpacked
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "asking",
    "asking_async",
    "closing",
    "for_process",
    "making",
    "nothing_comes",
    "opening",
    "silent_when_unmade",
]

_UNMADE = "_retrace_unmade"
"""Attribute of a client that a replay has not connected."""


def making(kind: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what hooks `__init__`: what it makes besides is nobody's; a failure is an event."""

    def hook(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
            def live() -> None:
                with mask():
                    original(self, *args, **options)

            lane = current()
            if lane is None:
                live()
            else:
                attempt(lane, f"{kind}.__init__", None, live, live)

        return __init__

    return hook


def opening(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks `start`: it connects, which is an event when it fails."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def start(self: Any, *args: Any, **options: Any) -> Any:
            lane, live = current(), functools.partial(original, self, *args, **options)
            if in_replay():
                setattr(self, _UNMADE, True)
            if lane is not None:
                return await attempt_async(lane, f"{kind}.start", None, live)
            return None if in_replay() else await live()

        return start

    return hook


def closing(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks `stop`: a failure is an event."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def stop(self: Any, *args: Any, **options: Any) -> Any:
            lane, live = current(), functools.partial(original, self, *args, **options)
            try:
                if lane is not None:
                    return await attempt_async(lane, f"{kind}.stop", None, live)
                return None if _is_unmade(self) else await live()
            finally:
                if _is_unmade(self):
                    self._closed = True

        return stop

    return hook


def silent_when_unmade(original: Callable[..., None]) -> Callable[..., None]:
    """Hook `__del__`: nobody is told that a client was left open which was never connected."""

    @functools.wraps(original)
    def __del__(self: Any, *args: Any, **options: Any) -> None:
        if not getattr(self, _UNMADE, False):
            original(self, *args, **options)

    return __del__


def _is_unmade(client: Any) -> bool:
    return getattr(client, _UNMADE, False) or in_replay()


async def nothing_comes(timeout_s: float | None = None) -> None:
    """Wait for what does not come on replay."""
    with mask():
        if timeout_s is None:
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.sleep(timeout_s)


def for_process(answer: Any) -> Callable[..., Any]:
    """Return a function that gives the process the same answer each time."""

    def same(*_: Any, **__: Any) -> Any:
        return answer

    return same


def asking_async(
    kind: str, names: tuple[str, ...], of_process: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks a coroutine method whose answer is an event.

    Args:
        kind: of the client; the method's name comes behind.
        names: of its parameters that stand in the key, in their order.
        of_process: answers a task of the process on replay; None refuses it.
    """

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        name = f"{kind}.{original.__name__}"

        @functools.wraps(original)
        async def asked(self: Any, *args: Any, **options: Any) -> Any:
            lane, live = current(), functools.partial(original, self, *args, **options)
            if lane is None or (of_process is not None and not is_request(lane)):
                if not _is_unmade(self):
                    with mask():
                        return await live()
                if of_process is None:
                    raise LiveCallRefused(name, "")
                answer = of_process(*args, **options)
                return await answer if asyncio.iscoroutine(answer) else answer
            key = _key(names, args, options)
            return await call_async(lane, name, key, _refusing(self, name, live), packed, unpacked)

        return asked

    return hook


def _refusing(client: Any, name: str, live: Callable[[], Any]) -> Callable[[], Any]:
    async def asking_it() -> Any:
        if _is_unmade(client):
            raise LiveCallRefused(name, "")
        return await live()

    return asking_it


def asking(
    kind: str, names: tuple[str, ...], of_process: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks a method that is no coroutine function; args: as `asking_async`."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        name = f"{kind}.{original.__name__}"

        @functools.wraps(original)
        def asked(self: Any, *args: Any, **options: Any) -> Any:
            def live() -> Any:
                if _is_unmade(self):
                    raise LiveCallRefused(name, "")
                return original(self, *args, **options)

            lane = current()
            if lane is None or (of_process is not None and not is_request(lane)):
                if of_process is not None and _is_unmade(self):
                    return of_process(*args, **options)
                with mask():
                    return live()
            return call(lane, name, _key(names, args, options), live, packed, unpacked)

        return asked

    return hook


def _key(names: tuple[str, ...], args: Any, options: Any) -> object:
    if names == ("*",):
        return [asked_value(one) for one in args] or None
    given = {**dict(zip(names, args, strict=False)), **options}
    return {name: asked_value(given[name]) for name in names if name in given} or None
