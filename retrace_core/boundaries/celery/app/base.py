"""Celery: a task that is sent is one event, whose outcome is the task's id.

Hook: `Celery.send_task`, to which `delay`, `apply_async`, groups and chains come down. What goes
to the broker is no event of its own, nor is what `oid_from` draws. The trace goes along in the
task's headers, also that of a request which is not recorded. With `task_always_eager` a task is
the application's code, and nothing is sent. Read in Celery 5.3 to 5.7.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from celery.app import base
from celery.app.base import Celery

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.masked import masked
from retrace_core.native import REPLAY, current
from retrace_core.outgoing_task import arguments_key, with_trace

if TYPE_CHECKING:
    from collections.abc import Callable

_IN_KEY = ("queue", "routing_key", "countdown")
"""Options that say where and when, and are no moment by a clock."""


def _id_of(result: Any) -> str:
    return str(result.id)


def _hooked_send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send_task(
        self: Any, name: Any, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any
    ) -> Any:
        lane = current()
        headers = with_trace(lane, options.get("headers"))
        if headers:
            options["headers"] = headers
        live = functools.partial(original, self, name, args, kwargs, *rest, **options)
        if lane is None:
            return live()
        where = {one: str(options[one]) for one in _IN_KEY if options.get(one) is not None}
        asked = [str(name), arguments_key([list(args or ()), dict(kwargs or {})]), where]
        if lane.mode != REPLAY:
            return call(lane, "celery.send_task", asked, live, _id_of)

        def result_of(task_id: str) -> Any:
            result = (options.get("result_cls") or self.AsyncResult)(task_id)
            result.ignored = options.get("ignore_result")
            return result

        return call(lane, "celery.send_task", asked, live, _id_of, result_of)

    return send_task


BOUNDARY = Boundary(
    kind="celery",
    supports="celery>=5.3",
    hooks=(
        Patch(Celery, "send_task", _hooked_send),
        # A thread's name for replies: made once, by whichever request is first.
        Patch(base, "oid_from", masked),
    ),
    errors=("celery.exceptions", "kombu.exceptions"),
)
