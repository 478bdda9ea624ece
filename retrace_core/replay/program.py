"""Program: starts the recorded program, up to where a server would serve its application.

The request is run there, within the call that would serve: what the program holds open around
it is open, and its event loop is the one that the application was made in.
"""

from __future__ import annotations

import gc
import inspect
import os
import runpy
import sys
import threading
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from retrace_core.errors import AppNotLoadable
from retrace_core.native import LANE
from retrace_core.program import command_of, kind_of
from retrace_core.protocol import holds_middleware, layers
from retrace_core.replay.child_process import in_place_of
from retrace_core.replay.divergence import DivergedError
from retrace_core.replay.doors import doors_in_name_only
from retrace_core.replay.serving import taken_from_servers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from retrace_core.recording import Program

__all__ = ["run_program"]


def run_program(
    program: Program,
    folder: str,
    run: Callable[[Any], None],
    run_in_loop: Callable[[Any], Awaitable[None]],
    *,
    missing: str = "",
) -> None:
    """Start a program, and run something with the application that it hands to a server.

    The program goes no further then: it is left where it is, by an exception that it does not
    expect, unless what is run has ended the process.

    Args:
        program: as it was recorded.
        folder: where it is started, when the recorded folder is not there.
        run: gets the application.
        run_in_loop: gets the application of a server that serves in a running event loop.
        missing: what the start-up lacks, for the error, in words; default nothing.

    Raises:
        AppNotLoadable: it is not there, or ended without having served.
        Exception: what `run` or `run_in_loop` has raised.
    """
    taking = _Taking(program, run, run_in_loop)
    ended: BaseException | None = None
    with taken_from_servers(taking), _as_if_started(program, folder) as begin:
        taking.doors.enter_context(doors_in_name_only(taking.take_at_door))
        taking.doors.enter_context(in_place_of(program.child))
        with taking.doors:
            try:
                begin()
            except _Left:
                pass
            except (Exception, SystemExit, DivergedError, KeyboardInterrupt, _Unknown) as error:
                ended = error
    if taking.failure is not None:
        raise taking.failure
    if taking.unknown:
        raise AppNotLoadable(
            f"program {command_of(program)!r} began to serve by a server that Retrace does not"
            f" know, which a replay does not start; {missing or 'give --app module:attribute'}"
        )
    if not taking.done:
        why = f"{type(ended).__name__}: {ended}" if ended is not None else "its end"
        raise AppNotLoadable(
            f"program {command_of(program)!r} came to {why} before it handed an application to a"
            f" server that Retrace knows; {missing or 'give --app module:attribute'}"
        ) from ended


_PATIENCE_S = 5.0
"""For how long a thread that serves waits for the program's own to do so."""


class _Left(BaseException):
    """Leaves the program once the request was run."""


class _Unknown(BaseException):
    """Leaves the program that begins to serve, nobody knows what."""


class _Taking:
    """What becomes of applications that servers are handed."""

    def __init__(
        self,
        program: Program,
        run: Callable[[Any], None],
        run_in_loop: Callable[[Any], Awaitable[None]],
    ) -> None:
        self._program = program
        self._run = run
        self._run_in_loop = run_in_loop
        self.doors = ExitStack()
        """Closed once the application was taken."""
        self.done = False
        self._begun = threading.Event()
        self.failure: BaseException | None = None
        self.unknown = False
        """True once the program served, and what was recorded of it was nowhere to be found."""

    def take(self, app: Any) -> None:
        target = self._wanted(app)
        with self._outside_of_the_boot():
            self._run(target)
        raise _Left

    def take_at_door(self) -> None:
        """Take what was recorded, wherever it is, for the program begins to wait for requests.

        A thread of it may do so for a side show, before its main thread has begun to serve.
        """
        if threading.current_thread() is not threading.main_thread():
            self._begun.wait(_PATIENCE_S)
        found = None if self._begun.is_set() else _living(self._program.serves)
        if found is not None:
            self.take(found)
        if threading.current_thread() is not threading.main_thread():
            threading.Event().wait()
        if self.done:
            raise _Left
        self.unknown = True
        raise _Unknown

    async def take_in_loop(self, app: Any) -> None:
        target = self._wanted(app)
        with self._outside_of_the_boot():
            await self._run_in_loop(target)
        raise _Left

    @contextmanager
    def _outside_of_the_boot(self) -> Iterator[None]:
        self.done = True
        self._begun.set()
        self.doors.close()
        lane = LANE.get()
        LANE.set(None)
        try:
            yield
        except BaseException as error:
            self.failure = error
            raise _Left from error
        finally:
            LANE.set(lane)

    def _wanted(self, app: Any) -> Any:
        """Return what was recorded of what a server is handed; a side show waits for ever."""
        found = _recorded_in(app, self._program.serves)
        if found is None and threading.current_thread() is not threading.main_thread():
            threading.Event().wait()
        if self.done:
            raise _Left
        return app if found is None else found


def _recorded_in(app: Any, kind: str) -> Any:
    """Return the recorded application where one is it, or wraps it, or is told where it is."""
    if not kind or holds_middleware(app):
        return app
    for one in layers(app):
        if kind_of(one) == kind:
            return one
    return _living(kind)


def _living(kind: str) -> Any:
    """Return the one application of a kind that there is, wherever it is, else None."""
    module = kind.partition(":")[0]
    living = [one for one in gc.get_objects() if _module_of(one) == module]
    alike = [one for one in living if kind_of(one) == kind and callable(one)]
    return alike[0] if len(alike) == 1 else None


def _module_of(one: object) -> object:
    return one.__module__ if inspect.isfunction(one) else type(one).__module__


@contextmanager
def _as_if_started(program: Program, folder: str) -> Iterator[Callable[[], object]]:
    """Yield what starts the program, in a process that looks as if it had been started so."""
    home, argv, path, main = os.getcwd(), sys.argv, sys.path[:], sys.modules["__main__"]
    there = program.folder if os.path.isdir(program.folder) else folder
    os.chdir(there)
    sys.argv = [program.path, *program.arguments]
    try:
        yield _ways()[program.kind](program, there)
    finally:
        os.chdir(home)
        sys.argv, sys.path[:], sys.modules["__main__"] = argv, path, main


def _ways() -> dict[str, Callable[[Program, str], Callable[[], object]]]:
    return {"function": _function, "module": _module, "script": _script}


def _function(program: Program, folder: str) -> Callable[[], object]:
    sys.path.append(folder)
    name, _, attribute = program.name.partition(":")

    def begin() -> object:
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__file__ = program.path
        parts = attribute.split(".")
        # As the script's own `from NAME import PART`, which imports a submodule of that name too.
        found: Any = __import__(name, fromlist=parts[:1])
        for part in parts:
            found = getattr(found, part)
        return found()

    return begin


def _module(program: Program, folder: str) -> Callable[[], object]:
    sys.path.insert(0, folder)
    return lambda: runpy.run_module(program.name, run_name="__main__", alter_sys=True)


def _script(program: Program, folder: str) -> Callable[[], object]:
    path = os.path.join(folder, program.name)
    if not os.path.exists(path):
        path = os.path.join(folder, os.path.basename(program.name))
    if not os.path.exists(path):
        raise AppNotLoadable(
            f"script {program.name} is not in {folder}; give --app-dir, where it lies, or --app"
        )
    sys.path.insert(0, os.path.dirname(path))
    return lambda: runpy.run_path(path, run_name="__main__")
