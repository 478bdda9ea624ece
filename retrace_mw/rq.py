"""RQ: records the jobs that a worker performs, each in the trace of the request that enqueued it.

rq worker --worker-class retrace_mw.rq.Worker, or in a script of one's own retrace_mw.rq.install()

Hooks: `Worker.perform_job`, for its end, since a work horse leaves by `os._exit`, and within it
`Job.perform`. A queue with `is_async=False` performs without a worker, as the application's code.
Read in RQ 1.16, 2 and 3.
"""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from rq import timeouts, worker
from rq.job import Job

from retrace_core import failsafe, writer
from retrace_core.boot.tape import in_boot_lane, leave_boot
from retrace_core.errors import ConfigurationError
from retrace_core.native import LANE, OFF
from retrace_core.task_call import TaskCall
from retrace_mw.task import TaskRecorder, handing_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.decision import Decider
    from retrace_mw.limits import Limits

__all__ = ["Worker", "enable", "install"]

SERVICE = "rq-worker"
_HORSE_FLUSH_S = 2.0
"""How long the end of a work horse may wait for its recording to be written, in seconds."""
_KEPT = (
    "origin description timeout created_at enqueued_at started_at result_ttl failure_ttl ttl"
    " retries_left retry_intervals worker_name group_id meta"
).split()

_recorder: TaskRecorder | None = None
_enabled = False
_performing: ContextVar[bool] = ContextVar("retrace_rq_performing", default=False)


def install(
    *,
    decide: Decider | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> None:
    """Have the RQ workers of this process record their jobs; a second call replaces.

    Args:
        decide: says for each job whether to record it; default: as the sender did, of jobs
            without a trace a share (`sample_rate`).
        limits: what recording may cost; default: what the settings say.
        options: any setting by name; `service` is "rq-worker" by default.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    global _recorder
    _recorder = TaskRecorder(None, service=SERVICE, decide=decide, limits=limits, options=options)
    _hook()


def enable() -> None:
    """Have them record their jobs by the settings alone; the first job reads those."""
    global _enabled
    _enabled = True
    _hook()


def _found_recorder() -> TaskRecorder | None:
    global _enabled
    if _recorder is None and _enabled:
        _enabled = False
        try:
            install()
        except ConfigurationError as error:  # the application itself is not to blame
            print(f"retrace: {error}; nothing is recorded", file=sys.stderr)  # noqa: T201
    return _recorder


def _hook() -> None:
    performing, working = _owner_of("perform_job"), _owner_of("work")
    if getattr(performing.perform_job, "retrace_recording", False):
        return
    performing.perform_job = _hooked_perform_job(performing.perform_job)
    working.work = _hooked_work(working.work)
    hooked: Any = _hooked_perform(Job.perform)
    Job.perform = hooked  # type: ignore[method-assign]
    failsafe.let_through(timeouts.BaseTimeoutException)


def _owner_of(name: str) -> Any:
    """Return the class that has a method of workers: in RQ 1 they are of two."""
    return next(cls for cls in worker.Worker.__mro__ if name in vars(cls))


def _hooked_work(original: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def work(self: Any, *args: Any, **options: Any) -> Any:
        leave_boot()  # what follows is the worker's own talk with Redis
        return original(self, *args, **options)

    return work


def _hooked_perform_job(original: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def perform_job(self: Any, *args: Any, **options: Any) -> Any:
        token = _performing.set(True)
        try:
            with handing_on():
                return original(self, *args, **options)
        finally:
            _performing.reset(token)
            if getattr(self, "is_horse", False):  # it leaves by os._exit
                writer.finish(_HORSE_FLUSH_S)

    perform_job.retrace_recording = True  # type: ignore[attr-defined]
    return perform_job


def _hooked_perform(original: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def perform(self: Any) -> Any:
        recorder = None
        if _performing.get():
            with failsafe.gate("rq job"):
                recorder = _found_recorder()
        if recorder is None:
            return original(self)
        lane = LANE.get()
        if lane is None or lane.mode == OFF:
            with in_boot_lane():  # the work horse imports the application now
                function, _ = self.func, self.args
        else:
            function = None
        token = _performing.set(False)  # a job within the job is its code
        try:
            return recorder.run(
                str(self.func_name),
                self.meta or {},
                lambda: _call(self),
                functools.partial(original, self),
                function,
            )
        finally:
            _performing.reset(token)

    return perform


def _call(job: Any) -> TaskCall:
    return TaskCall(
        queue="rq",
        name=str(job.func_name),
        id=str(job.id),
        args=tuple(job.args),
        kwargs=job.kwargs,
        headers=job.meta or {},
        context={name: getattr(job, name) for name in _KEPT if hasattr(job, name)},
    )


class Worker(worker.Worker):
    """RQ's worker, recording: `rq worker --worker-class retrace_mw.rq.Worker`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if _recorder is None:
            install()
        super().__init__(*args, **options)
