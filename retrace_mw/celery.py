"""Celery: records the tasks that a worker runs, each in the trace of the message that sent it.

from retrace_mw import celery
celery.install(app)

A worker builds a tracer for each task, which calls the task's function and does all the rest:
`build_tracer` is the hook, and what it took for the function is wrapped. What Celery does around
it (the result, the next step of a chain) is not of the recording. Read in Celery 5.3 to 5.7.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from celery import Celery, exceptions, signals
from celery.app import trace

from retrace_core import failsafe, writer
from retrace_core.boot.tape import enter_boot, leave_boot
from retrace_core.errors import ConfigurationError
from retrace_core.ids import valid_service
from retrace_core.task_call import TaskCall
from retrace_mw.task import TaskRecorder, handing_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.decision import Decider
    from retrace_mw.limits import Limits

__all__ = ["enable", "install"]

_CONSUMER = "celery.worker.consumer.consumer"
_NOT_KEPT = frozenset(("args", "kwargs", "called_directly", "_protected", "_children"))

_NONE: dict[str, Any] = {}

_recorders: dict[int, tuple[Any, TaskRecorder | None]] = {}
"""id -> (application, its recorder or None); kept together, so that no id is reused."""
_all_apps = False
_boot_pid = 0


def install(
    app: Celery,
    *,
    decide: Decider | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> None:
    """Have the workers of a Celery application record their tasks; a second call replaces.

    Call it where the application is made. In other processes than workers it does nothing.

    Args:
        app: the application.
        decide: says for each task whether to record it; default: as the sender did, of tasks
            without a trace a share (`sample_rate`).
        limits: what recording may cost; default: what the settings say.
        options: any setting by name; `service` is by default the application's name with
            "-worker".

    Raises:
        ConfigurationError: a setting is wrong.
    """
    recorder = TaskRecorder(
        app, service=_service(app), decide=decide, limits=limits, options=options
    )
    _recorders[id(app)] = (app, recorder)
    _hook()


def enable() -> None:
    """Have the workers of any Celery application record their tasks, by the settings alone."""
    global _all_apps
    _all_apps = True
    _hook()


def _service(app: Any) -> str:
    name = f"{app.main}-worker".lower() if app.main and app.main != "__main__" else ""
    return name if valid_service(name) else "celery-worker"


def _recorder(app: Any) -> TaskRecorder | None:
    known = _recorders.get(id(app))
    if known is None and _all_apps:
        made = None
        try:
            made = TaskRecorder(app, service=_service(app), options={})
        except ConfigurationError as error:  # the application itself is not to blame
            print(f"retrace: {error}; nothing is recorded", file=sys.stderr)  # noqa: T201
        known = _recorders.setdefault(id(app), (app, made))
    return known[1] if known is not None else None


# -- the hook


def _hook() -> None:
    original: Any = trace.build_tracer
    if getattr(original, "retrace_recording", False):
        return
    hooked = _hooked(original)
    trace.build_tracer = hooked
    consumer = sys.modules.get(_CONSUMER)
    if consumer is not None:  # else it will take ours
        consumer.build_tracer = hooked  # type: ignore[attr-defined]
    failsafe.let_through(exceptions.SoftTimeLimitExceeded)
    signals.worker_init.connect(_worker_starts, weak=False)
    signals.worker_process_init.connect(_child_starts, weak=False)
    signals.worker_process_shutdown.connect(_child_ends, weak=False)


def _hooked(original: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def build_tracer(name: str, task: Any, *args: Any, **options: Any) -> Any:
        tracer = original(name, task, *args, **options)
        if options.get("eager"):
            return tracer  # of the code that calls it, and so of that one's recording
        with failsafe.gate("celery task"):
            recorder = _recorder(options.get("app") or task.app)
            if recorder is not None:
                return _recording(tracer, name, task, recorder)
        return tracer

    build_tracer.retrace_recording = True  # type: ignore[attr-defined]
    return build_tracer


def _recording(tracer: Any, name: str, task: Any, recorder: TaskRecorder) -> Any:
    """Return the tracer with the function that it calls recorded.

    It has it as a variable of its closure; replacing the task's `run`, or its class's
    `__call__`, would also be seen by all who call the task as a function.
    """
    place = tracer.__code__.co_freevars.index("fun")
    cell = tracer.__closure__[place]
    function = cell.cell_contents

    def fun(*args: Any, **kwargs: Any) -> Any:
        request = task.request_stack.top
        return recorder.run(
            name,
            request.headers or _NONE,
            lambda: _call(name, request, args, kwargs),
            functools.partial(function, *args, **kwargs),
        )

    cell.cell_contents = fun

    @functools.wraps(tracer)
    def trace_task(*args: Any, **options: Any) -> Any:
        with handing_on():
            return tracer(*args, **options)

    return trace_task


def _call(name: str, request: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TaskCall:
    context = {key: value for key, value in vars(request).items() if key not in _NOT_KEPT}
    return TaskCall(
        queue="celery",
        name=name,
        id=str(request.id),
        args=args,
        kwargs=kwargs,
        headers=request.headers or _NONE,
        context=context,
    )


# -- the worker's life


def _worker_starts(**_: Any) -> None:
    # What follows is the worker's own talk with its broker, and not the application's start.
    global _boot_pid
    _boot_pid = os.getpid()
    leave_boot()


def _child_starts(**_: Any) -> None:
    # In a child of its own the application's handlers of this signal belong to its start.
    if os.getpid() != _boot_pid:
        enter_boot()


def _child_ends(**_: Any) -> None:
    writer.finish()  # the child ends by os._exit
