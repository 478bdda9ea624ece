"""Celery's side of a replay: the task of the application's registry, run as a worker runs it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from celery import Celery, _state, signals
from celery.app import trace

from retrace_core.errors import AppNotLoadable, WrongApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.task_call import TaskCall

__all__ = ["prepare"]


def prepare(app: Any, call: TaskCall) -> Callable[[], Any]:
    """Load the application's tasks as a worker does, and return what runs the recorded one.

    Raises:
        AppNotLoadable: the application has no such task.
        WrongApp: it is no Celery application.
    """
    if not isinstance(app, Celery):
        raise WrongApp(
            f"the recording is of the Celery task {call.name}, and the app given is no Celery"
            " application: give the one that celery -A names, as module:attribute"
        )
    app.set_current()
    app.loader.import_default_modules()
    app.finalize()
    # As in a worker: a task that calls another one as a function lends it its request.
    trace._install_stack_protection()
    signals.worker_process_init.send(sender=None)
    task: Any = app.tasks.get(call.name)
    if task is None:
        near = difflib.get_close_matches(call.name, list(app.tasks), 1)
        hint = f"; is it {near[0]} now?" if near else ""
        raise AppNotLoadable(f"the Celery application has no task {call.name!r}{hint}")
    function = task if trace.task_has_custom(task, "__call__") else task.run

    def run() -> Any:
        _state._task_stack.push(task)
        task.push_request(
            dict(call.context), args=call.args, kwargs=call.kwargs, called_directly=False
        )
        try:
            return function(*call.args, **call.kwargs)
        finally:
            task.pop_request()
            _state._task_stack.pop()

    return run
