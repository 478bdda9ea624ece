"""Tasks: what a Celery task costs in a worker that does not record it, over the bare one.

`python -m benchmarks.tasks` runs a task that does nothing through Celery's own tracer, as a
worker does with each message, bare, unrecorded (rate 0, no trace in the message) and recorded,
in alternating rounds, and prints the median of each and their ratios.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.app import trace

from benchmarks.unlimited import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Callable

TASKS = 2000
ROUNDS = 15


def make_task(name: str) -> tuple[Celery, Any]:
    """Return an application with one task that asks nobody for anything."""
    app = Celery(name, broker="memory://", set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task(name=f"{name}.nothing")
    def nothing(number: int) -> int:
        return number

    app.finalize()
    return app, app.tasks[f"{name}.nothing"]


def tracer_of(app: Celery, task: Any) -> Callable[..., Any]:
    """Return what a worker calls with each message."""
    made: Callable[..., Any] = trace.build_tracer(task.name, task, app.loader, "host", app=app)
    return made


def microseconds(tracer: Callable[..., Any], headers: dict[str, Any]) -> float:
    """Return the mean time of a task."""
    request = {"id": "x", "lang": "py", "task": "nothing", "delivery_info": {}, **headers}
    begun = time.perf_counter()
    for _ in range(TASKS):
        tracer("x", (1,), {}, dict(request))
    return (time.perf_counter() - begun) / TASKS * 1e6


def main() -> None:
    """Measure, and print."""
    bare = tracer_of(*make_task("bare"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(UNLIMITED)
        os.environ.update(RETRACE="1", RETRACE_SAMPLE_RATE="0", RETRACE_RECORDING_PATH=folder)
        from retrace_mw.celery import install

        app, task = make_task("watched")
        install(app)
        watched = tracer_of(app, task)
        took: dict[str, list[float]] = {"bare": [], "unrecorded": [], "recorded": []}
        for _ in range(ROUNDS):
            took["bare"].append(microseconds(bare, {}))
            took["unrecorded"].append(microseconds(watched, {}))
            took["recorded"].append(microseconds(watched, {"X-Trace-ID": "0" * 31 + "1"}))
        base = statistics.median(took["bare"])
        for name, each in took.items():
            found = statistics.median(each)
            print(f"{name:12}{found:8.1f} µs a task  {found / base:5.2f} times bare")
        from retrace_core import writer

        writer.flush(60)


if __name__ == "__main__":
    main()
