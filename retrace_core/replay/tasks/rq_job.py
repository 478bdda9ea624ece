"""RQ's side of a replay: the job's function by its dotted name, run as `Job.perform` does it.

A recording may come from a stranger, and says which function is to be called with what. So it
must be one of the application's own, and none of Python or of an installed package.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from redis import Redis
from rq.job import Job
from rq.utils import import_attribute

from retrace_core.errors import AppNotLoadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.task_call import TaskCall

__all__ = ["prepare"]


def prepare(app: Any, call: TaskCall) -> Callable[[], Any]:
    """Import the function, and return what runs it; `app` has put its folder on the path.

    Raises:
        AppNotLoadable: there is no such function, or it is not the application's.
    """
    del app
    if _is_foreign(call.name):
        raise _refused(call.name)
    try:
        function = import_attribute(call.name)
    except (ImportError, AttributeError, ValueError) as error:
        raise AppNotLoadable(
            f"the function {call.name!r} of the job can't be imported ({error}); give --app-dir"
        ) from error
    home = str(getattr(function, "__module__", None) or "builtins")
    file = str(getattr(sys.modules.get(home), "__file__", None) or "")
    if _is_foreign(home) or f"-packages{os.sep}" in file:
        raise _refused(call.name)
    job: Any = Job.create(
        call.name, call.args, dict(call.kwargs), connection=Redis(), id=call.id or None
    )
    for name, value in call.context.items():
        if hasattr(job, name):
            setattr(job, name, value)
    return job.perform  # type: ignore[no-any-return]


def _is_foreign(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in sys.builtin_module_names


def _refused(name: str) -> AppNotLoadable:
    return AppNotLoadable(
        f"the job's function {name!r} is not of the application, and a recording may name any:"
        " it is not called; replay from a checkout of the application, with --app-dir"
    )
