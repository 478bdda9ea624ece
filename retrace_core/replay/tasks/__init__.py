"""Tasks: runs a recorded task again; one file for each queue, loaded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.errors import WrongApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.task_call import TaskCall

__all__ = ["prepare"]


def prepare(app: Any, call: TaskCall) -> Callable[[], Any]:
    """Load what a worker would have loaded, and return what runs the task.

    Args:
        app: what `--app` names: the Celery application; for RQ anything of the application.
        call: what is to be run.

    Raises:
        AppNotLoadable: the task is not there.
        WrongApp: the app is none of that queue, or the queue's library is not installed.
    """
    try:
        if call.queue == "celery":
            from retrace_core.replay.tasks import celery_task

            return celery_task.prepare(app, call)
        from retrace_core.replay.tasks import rq_job

        return rq_job.prepare(app, call)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != call.queue:
            raise
        raise WrongApp(
            f"the recording is of a task of {call.queue}, which is not installed here; install it"
        ) from None
