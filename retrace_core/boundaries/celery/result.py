"""Celery's results: asking for one, or waiting for it, is one event.

Hooks: `AsyncResult._get_task_meta` (state, result, ready, ...), `AsyncResult.get`, and
`ResultSet.join_native`, which waits for many at once. `AsyncResult.then` and `__del__` subscribe
and unsubscribe, which is no event, nor is how often the backend was polled; `__init__` notes what a
replay made, whose `__del__` calls nobody. An `EagerResult` asks
nobody. Read in Celery 5.3 to 5.7.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from celery import exceptions
from celery.result import AsyncResult, ResultSet
from kombu import exceptions as of_kombu

from retrace_core.boundary import Boundary, Patch, call, mask
from retrace_core.native import REPLAY, current
from retrace_core.outgoing_task import errors_of, packed_errors, unpacked_errors

if TYPE_CHECKING:
    from collections.abc import Callable

_ERRORS = errors_of(exceptions, of_kombu)


def _unpacked(value: Any) -> Any:
    return unpacked_errors(value, _ERRORS)


def _plain_meta(meta: Any) -> Any:
    """Return what is known of a task, with its children as Celery writes them down."""
    if not meta:
        return meta
    children = meta.get("children")
    if children:
        tuples = [one.as_tuple() if hasattr(one, "as_tuple") else one for one in children]
        meta = {**meta, "children": tuples}
    return packed_errors(meta)


def _hooked_meta(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _get_task_meta(self: Any) -> Any:
        lane = current()
        if lane is None or self._cache is not None:
            return original(self)

        def live() -> Any:
            return self.backend.get_task_meta(self.id)

        meta = call(lane, "celery.result", str(self.id), live, _plain_meta, _unpacked)
        return self._maybe_set_cache(meta)

    return _get_task_meta


def _hooked_get(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or self.ignored or self._cache:
            return original(self, *args, **options)

        def live() -> list[Any]:
            try:
                found = [True, original(self, *args, **options)]
            except Exception as error:  # noqa: BLE001  # raised below
                found = [False, error]
            return [*found, self._cache]

        def plain(outcome: list[Any]) -> Any:
            return [outcome[0], packed_errors(outcome[1]), _plain_meta(outcome[2])]

        kept = call(lane, "celery.get", str(self.id), live, plain, _unpacked)
        succeeded, value, meta = kept
        if lane.mode == REPLAY and meta:
            self._set_cache(meta)
        if not succeeded:
            raise value
        return value

    return get


def _hooked_then(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def then(self: Any, callback: Any, on_error: Any = None, weak: bool = False) -> Any:
        lane = current()
        if lane is None:
            return original(self, callback, on_error, weak)
        if lane.mode == REPLAY:
            return self.on_ready.then(callback, on_error)
        with mask():
            return original(self, callback, on_error, weak)

    return then


def _hooked_init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
        original(self, *args, **options)
        lane = current()
        self._replayed = lane is not None and lane.mode == REPLAY

    return __init__


def _hooked_del(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __del__(self: Any) -> None:
        if getattr(self, "_replayed", False):
            return  # nobody was asked, so there is nothing to call off, maybe after the replay
        with mask():  # it is collected at no particular time
            original(self)

    return __del__


def _hooked_join(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def join_native(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        asked = [str(one.id) for one in self.results]
        return call(lane, "celery.join", asked, live, packed_errors, _unpacked)

    return join_native


BOUNDARY = Boundary(
    kind="celery",
    supports="celery>=5.3",
    hooks=(
        Patch(AsyncResult, "_get_task_meta", _hooked_meta),
        Patch(AsyncResult, "get", _hooked_get),
        Patch(AsyncResult, "then", _hooked_then),
        Patch(AsyncResult, "__init__", _hooked_init),
        Patch(AsyncResult, "__del__", _hooked_del),
        Patch(ResultSet, "join_native", _hooked_join),
    ),
    errors=("celery.exceptions", "kombu.exceptions"),
)
