"""Work that a request submits to a process pool: what came of it is an event, in a lane of its own.

A replay starts no process, and runs nothing of the work: that is in another process, where nobody
records. It is told by the function's name and its arguments.

Hooks: `ProcessPoolExecutor.submit`, by which `map` and `loop.run_in_executor` come too, and
`shutdown`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import threading
from concurrent.futures import Future
from concurrent.futures import process as module
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from retrace_core.boundary import Boundary, Patch, attempt, call, mask
from retrace_core.concurrency.carrying import carry_future
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_waiting: WeakKeyDictionary[ProcessPoolExecutor, set[threading.Thread]] = WeakKeyDictionary()
"""Who waits for work of recorded requests in a pool."""


def _carrying_submit(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def carrying(
        pool: ProcessPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        lane = current()
        if not isinstance(lane, Lane):
            return submit(pool, fn, *args, **kwargs)
        key = [_name_of(fn), list(args), kwargs]
        live = functools.partial(submit, pool, fn, *args, **kwargs)
        # That a pool takes no more work, since it is broken or shut down, is the request's own.
        work: Future[Any] | None = None
        submitted = [key[0], lane.children]
        if lane.mode != REPLAY or lane.scope.comes(lane, "process.submit", submitted):
            work = attempt(lane, "process.submit", submitted, live)
        future = carry_future(functools.partial(_in_a_thread, pool), lane, _result_of, (work, key))
        if work is not None:
            future.add_done_callback(functools.partial(_call_off, work))
        return future

    return carrying


def _name_of(fn: Any) -> str:
    """Return what is to be done; of what is partly given, the function in it."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return str(getattr(fn, "__qualname__", type(fn).__qualname__))


def _result_of(work: Future[Any] | None, key: object) -> Any:
    def live() -> Any:
        assert work is not None
        return work.result()

    lane = current()
    return live() if lane is None else call(lane, "process.work", key, live)


def _call_off(work: Future[Any], future: Future[Any]) -> None:
    if future.cancelled():
        work.cancel()


def _in_a_thread(pool: ProcessPoolExecutor, fn: Callable[..., Any], *args: Any) -> Future[Any]:
    """Return the future of a call in a thread, which does nothing but wait."""
    future: Future[Any] = Future()
    waiting = _waiting.setdefault(pool, set())

    def run() -> None:
        try:
            if future.set_running_or_notify_cancel():
                future.set_result(fn(*args))
        except BaseException as error:  # noqa: BLE001  # whatever came of it, as a worker does
            future.set_exception(error)
        finally:
            waiting.discard(threading.current_thread())

    thread = threading.Thread(target=run, name="retrace-process-work", daemon=True)
    waiting.add(thread)
    thread.start()
    return future


def _hooked_shutdown(shutdown: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(shutdown)
    def shutting(pool: ProcessPoolExecutor, wait: bool = True, **options: Any) -> None:
        with mask():
            shutdown(pool, wait, **options)
            for thread in list(_waiting.get(pool, ())) if wait else ():
                thread.join()  # what is done there is done here

    return shutting


BOUNDARY = Boundary(
    kind="process",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(ProcessPoolExecutor, "submit", _carrying_submit),
        Patch(ProcessPoolExecutor, "shutdown", _hooked_shutdown),
    ),
    errors=(BrokenProcessPool, vars(module)["_RemoteTraceback"]),
)
