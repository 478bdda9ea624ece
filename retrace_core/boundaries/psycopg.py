"""psycopg 3, sync and async: what the server answered, as it came, below rows and adapters.

Hooks: `Connection.connect` and `.wait` (all work of a connection is a generator that `wait`
drives), and inside of it the generators of `psycopg.generators` by which its modules send and
receive: every exchange with the server is an event, whose outcome are the raw results. On
replay the real libpq reads them from a `Backend`, so that loaders, row factories, cursors and
errors are psycopg's own. BEGIN, PREPARE and DEALLOCATE depend on how warm a connection is:
only their failure is an event. `ConnectionInfo.backend_pid` is one where it is asked: statements
name it (`pg_cancel_backend`). Read in psycopg 3.2 and 3.3.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import _connection_base, _cursor_base, _pipeline_base, _server_cursor_base, generators
from psycopg.client_cursor import ClientCursorMixin
from psycopg.conninfo import conninfo_to_dict

from retrace_core.boundary import (
    Boundary,
    Patch,
    attempt,
    attempt_async,
    call_free,
    in_replay,
    mask,
    on_boot_tape,
)
from retrace_core.databases.postgresql.backend import Backend, stub_params
from retrace_core.databases.postgresql.psycopg_driving import played, played_async
from retrace_core.databases.postgresql.psycopg_exchanges import HOOKED
from retrace_core.databases.postgresql.psycopg_notes import (
    described,
    noting,
    noting_close,
    noting_command,
    noting_query,
    noting_stream,
    quietly,
)
from retrace_core.databases.postgresql.psycopg_wait import EXECUTE, WAIT, Wait, settings
from retrace_core.errors import LiveCallRefused
from retrace_core.native import RECORD, REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONNECT = "psycopg.connect"
_BACKEND_PID = "free.psycopg.backend_pid"


# -- connecting


def _hooked_connect(raw: Any) -> Any:
    connect: Callable[..., Any] = raw.__func__

    @functools.wraps(connect)
    def connecting(cls: Any, conninfo: str = "", *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None and not in_replay():
            return connect(cls, conninfo, *args, **kwargs)

        def live() -> Any:
            with on_boot_tape():
                return connect(cls, conninfo, *args, **kwargs)

        def stub() -> Any:
            backend, asked, options = _stub(conninfo, kwargs)
            with mask():
                return _with_backend(connect(cls, *args, **asked, **options), backend)

        if lane is None:
            return stub()
        return attempt(lane, _CONNECT, _database(conninfo, kwargs), live, stub)

    return classmethod(connecting)


def _hooked_connect_async(raw: Any) -> Any:
    connect: Callable[..., Any] = raw.__func__

    @functools.wraps(connect)
    async def connecting(cls: Any, conninfo: str = "", *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None and not in_replay():
            return await connect(cls, conninfo, *args, **kwargs)

        async def live() -> Any:
            with on_boot_tape():
                return await connect(cls, conninfo, *args, **kwargs)

        async def stub() -> Any:
            backend, asked, options = _stub(conninfo, kwargs)
            with mask():
                return _with_backend(await connect(cls, *args, **asked, **options), backend)

        if lane is None:
            return await stub()
        made = await attempt_async(lane, _CONNECT, _database(conninfo, kwargs), live)
        return made if made is not None else await stub()

    return classmethod(connecting)


def _hooked_alias(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Return `psycopg.connect`, which is the class's method as it was at import."""

    @functools.wraps(connect)
    def connecting(*args: Any, **kwargs: Any) -> Any:
        return _Sync.connect(*args, **kwargs)

    return connecting


_OPTIONS = ("autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory")


def _split(conninfo: str, kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (what is asked of the server, what the connection object is told)."""
    options = {name: value for name, value in kwargs.items() if name in _OPTIONS}
    rest = {name: value for name, value in kwargs.items() if name not in _OPTIONS}
    return dict(conninfo_to_dict(conninfo, **rest)), options


def _database(conninfo: str, kwargs: Any) -> object:
    """Return what is connected to, as a key: no password, no user."""
    try:
        asked, _ = _split(conninfo, kwargs)
    except psycopg.Error:
        return None  # psycopg itself will say what is wrong with it
    return [str(asked.get(name) or "") for name in ("host", "port", "dbname")]


def _stub(conninfo: str, kwargs: Any) -> tuple[Backend, dict[str, Any], dict[str, Any]]:
    asked, options = _split(conninfo, kwargs)
    name = str(asked.get("dbname") or asked.get("user") or "postgres").encode()
    session = settings.get(name)
    backend = Backend() if session is None else Backend(session)
    return backend, stub_params(asked, backend.port), options


def _with_backend(connection: Any, backend: Backend) -> Any:
    connection._retrace_backend = backend
    return connection


def _hooked_backend_pid(raw: Any) -> Any:
    """Return a property of which each reading is an event, in no order."""
    read: Callable[[Any], int] = raw.fget

    def backend_pid(self: Any) -> int:
        lane = current()
        if lane is None:
            return read(self)
        return call_free(lane, _BACKEND_PID, None, functools.partial(read, self))

    return property(functools.wraps(read)(backend_pid))


# -- waiting: who drives the generators


def _waits(connection: Any) -> Wait | None:
    """Return how a wait is to be seen to, or None where it is nobody's."""
    lane = current()
    backend: Backend | None = connection.__dict__.get("_retrace_backend")
    if backend is not None:
        return Wait(connection, lane if lane is not None and lane.mode == REPLAY else None, backend)
    if lane is None:
        return None
    if lane.mode == REPLAY:
        raise LiveCallRefused(EXECUTE, "a server, on a connection from before the replay")
    return Wait(connection, lane, None) if lane.mode == RECORD else None


def _hooked_wait(wait: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(wait)
    def waiting(self: Any, gen: Any, *args: Any, **kwargs: Any) -> Any:
        waits = _waits(self)
        if waits is None:
            return wait(self, gen, *args, **kwargs)
        token = WAIT.set(waits)
        try:
            if waits.backend is not None:
                return played(waits, gen)
            with mask():
                return wait(self, gen, *args, **kwargs)
        finally:
            WAIT.reset(token)

    return waiting


def _hooked_wait_async(wait: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(wait)
    async def waiting(self: Any, gen: Any, *args: Any, **kwargs: Any) -> Any:
        waits = _waits(self)
        if waits is None:
            return await wait(self, gen, *args, **kwargs)
        token = WAIT.set(waits)
        start_ns = now_ns()
        try:
            if waits.backend is not None:
                return await played_async(waits, gen)
            with mask():
                return await wait(self, gen, *args, **kwargs)
        finally:
            WAIT.reset(token)
            if waits.cancelled:
                waits.stopped(start_ns)

    return waiting


def _hooked_try_cancel(cancel: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(cancel)
    async def cancelling(self: Any, *args: Any, **kwargs: Any) -> Any:
        waits = WAIT.get()
        if waits is not None and waits.backend is None:
            waits.cancelled = True  # what the server says from now on, nobody hears
        if "_retrace_backend" not in self.__dict__:
            await cancel(self, *args, **kwargs)

    return cancelling


def _hooked_cancel(cancel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a way to cancel that is no event, and does nothing where there is no server."""
    if inspect.iscoroutinefunction(cancel):

        @functools.wraps(cancel)
        async def cancelling_async(self: Any, *args: Any, **kwargs: Any) -> None:
            if "_retrace_backend" not in self.__dict__:
                with mask():
                    await cancel(self, *args, **kwargs)

        return cancelling_async

    @functools.wraps(cancel)
    def cancelling(self: Any, *args: Any, **kwargs: Any) -> None:
        if "_retrace_backend" not in self.__dict__:
            with mask():
                cancel(self, *args, **kwargs)

    return cancelling


# -- what is sent


def _hooked_exchange(name: str) -> Callable[[Any], Any]:
    run = HOOKED[name]

    def factory(original: Any) -> Any:
        # A generator, too: it may be made before the wait begins that drives it.
        @functools.wraps(original)
        def exchanging(*args: Any, **kwargs: Any) -> Any:
            waits = WAIT.get()
            if waits is None:
                return (yield from original(*args, **kwargs))
            return (yield from run(waits, original, *args, **kwargs))

        return exchanging

    return factory


def _refused_notifies(original: Any) -> Any:
    """Return a `notifies` that is refused on replay, and ends what is recorded before.

    Notifications come at any time, also to connections that wait for something else: what a
    request would have heard on replay can't be known.
    """

    @functools.wraps(original)
    def notified(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is not None and lane.mode == REPLAY:
            raise LiveCallRefused("psycopg.notifies", "a server's notifications")
        if lane is not None and lane.mode == RECORD:
            lane.state.tainted = True
            lane.record("psycopg.notifies", None, 0, None, now_ns())
        return original(self, *args, **kwargs)

    return notified


def _exchanges() -> Iterator[Patch]:
    """Yield a patch for each place where a module of psycopg's holds one of the generators."""
    for module_name, module in sorted(sys.modules.copy().items()):
        if not module_name.startswith("psycopg.") or module is generators:
            continue
        for name in HOOKED:
            if vars(module).get(name) is getattr(generators, name):
                yield Patch(module, name, _hooked_exchange(name))
    yield Patch(generators, "execute", _hooked_exchange("execute"))


_Cursor, _Base = _cursor_base.BaseCursor, _connection_base.BaseConnection
_Pipeline, _Named = _pipeline_base.BasePipeline, _server_cursor_base.ServerCursorMixin
_Sync, _Async = psycopg.Connection, psycopg.AsyncConnection

BOUNDARY = Boundary(
    kind="psycopg",
    supports="psycopg>=3.2",
    hooks=(
        Patch(_Sync, "connect", _hooked_connect),
        Patch(_Async, "connect", _hooked_connect_async),
        Patch(psycopg, "connect", _hooked_alias),
        Patch(psycopg.ConnectionInfo, "backend_pid", _hooked_backend_pid),
        Patch(_Sync, "wait", _hooked_wait),
        Patch(_Async, "wait", _hooked_wait_async),
        Patch(_Sync, "notifies", _refused_notifies),
        Patch(_Async, "notifies", _refused_notifies),
        Patch(_Base, "cancel", _hooked_cancel),
        Patch(_Sync, "cancel_safe", _hooked_cancel),
        Patch(_Async, "cancel_safe", _hooked_cancel),
        Patch(_Async, "_try_cancel", _hooked_try_cancel),
        Patch(_Cursor, "_execute_send", noting_query("", 0)),
        Patch(ClientCursorMixin, "_execute_send", noting_query("", 0)),
        Patch(_Cursor, "_send_query_prepared", noting_query("", 1)),
        Patch(_Cursor, "_send_prepare", noting_query("prepare", 1)),
        Patch(_Cursor, "_stream_send_gen", noting_stream),
        Patch(_Base, "_exec_command", noting_command),
        Patch(_Base, "_start_query", quietly),
        Patch(_Base, "_deallocate", noting_close),
        Patch(_Named, "_describe_gen", noting(described)),
        Patch(_Pipeline, "_enqueue_sync", noting(lambda _: (b"", "sync"))),
        *_exchanges(),
    ),
    errors=("psycopg", "psycopg.errors"),
)
