"""RQ: a job that is enqueued or scheduled is one event.

Hooks: `Queue.enqueue_job` and `schedule_job`, to which `enqueue`, `enqueue_call`, `enqueue_at`
and `enqueue_in` come down, and `enqueue_many`, for the trace only: what it asks of Redis is
recorded as that. The trace goes along in the job's meta. Queues with `is_async=False` run a job
at once, as the application's code; with a pipeline of its own the application sends it. Read in
RQ 2 and 3.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from rq.job import JobStatus
from rq.queue import Queue

from retrace_core.boundary import Boundary, Patch, call, in_replay, on_boot_tape
from retrace_core.errors import LiveCallRefused, NotOnTape
from retrace_core.native import REPLAY, current
from retrace_core.outgoing_task import arguments_key, with_trace

if TYPE_CHECKING:
    from collections.abc import Callable

_ANY_VERSION = (7, 0, 0)
"""Of a Redis that is not there."""
_FIELDS = ("enqueued_at", "origin", "timeout")


def _state(job: Any) -> list[Any]:
    status = job._status
    named = getattr(status, "value", status)
    return [job.id, named, {name: getattr(job, name, None) for name in _FIELDS}]


def _hooked(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def enqueue(self: Any, job: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            job.meta = with_trace(lane, job.meta)
            live = functools.partial(original, self, job, *args, **options)
            if lane is None or not self._is_async or _has_pipeline(original, args, options):
                return live()
            asked = [self.name, str(job.func_name), arguments_key([job.args, job.kwargs])]
            if lane.mode != REPLAY:
                return call(lane, kind, asked, live, _state)

            def known(state: Any) -> Any:
                job_id, status, fields = state
                job.id = job_id
                job._status = JobStatus(status) if status else None
                for name, value in fields.items():
                    setattr(job, name, value)
                return job

            return call(lane, kind, asked, live, _state, known)

        return enqueue

    return factory


def _has_pipeline(original: Callable[..., Any], args: Any, options: Any) -> bool:
    first = 1 if original.__name__ == "schedule_job" else 0  # after the moment
    return (args[first] if len(args) > first else options.get("pipeline")) is not None


def _hooked_many(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def enqueue_many(self: Any, job_datas: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        traced = [one._replace(meta=with_trace(lane, one.meta) or one.meta) for one in job_datas]
        return original(self, traced, *args, **options)

    return enqueue_many


def _hooked_version(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get_redis_server_version(self: Any) -> Any:
        if current() is None and not in_replay():
            return original(self)
        try:
            with on_boot_tape("rq.server_version"):  # asked once for a connection, and kept
                return original(self)
        except (NotOnTape, LiveCallRefused):
            return _ANY_VERSION

    return get_redis_server_version


BOUNDARY = Boundary(
    kind="rq",
    supports="rq>=2",
    hooks=(
        Patch(Queue, "enqueue_job", _hooked("rq.enqueue")),
        Patch(Queue, "schedule_job", _hooked("rq.schedule")),
        Patch(Queue, "enqueue_many", _hooked_many),
        Patch(Queue, "get_redis_server_version", _hooked_version),
    ),
    errors=("rq.exceptions", "redis.exceptions"),
)
