"""Child process: the one that serves is run where the program would start it.

A program may start its server in a process of `multiprocessing`, and watch over it. A replay is
of that process: what it does is done in the program's own, in which nothing else is started.
"""

from __future__ import annotations

import itertools
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["in_place_of"]

_MODULE = "multiprocessing.process"
_STATE = ("_current_process", "_parent_process", "_process_counter")
"""Of that module: who this process is."""


@contextmanager
def in_place_of(child: str) -> Iterator[None]:
    """Have a process of `multiprocessing` run in place while the block runs.

    Args:
        child: its name, as recorded; others are started in name only. "" leaves all alone.
    """
    if not child:
        yield
        return
    put_back: list[tuple[Any, Any]] = []
    over = False

    def replace(module: ModuleType) -> None:
        if not over:
            put_back.append((module.BaseProcess, module.BaseProcess.start))
            module.BaseProcess.start = _starting(module, child)

    if _MODULE in sys.modules:
        replace(sys.modules[_MODULE])
    else:
        register_post_import_hook(replace, _MODULE)
    try:
        yield
    finally:
        over = True
        for owner, original in put_back:
            owner.start = original


def _starting(module: Any, child: str) -> Any:
    def start(self: Any) -> None:
        # A process may have been started by one of its children: "Process-1:2" by "Process-1".
        if self.name == child or child.startswith(f"{self.name}:"):
            before = {name: getattr(module, name) for name in _STATE}
            module._current_process = self
            module._parent_process = before["_current_process"]
            module._process_counter = itertools.count(1)
            try:
                self.run()
            finally:
                vars(module).update(before)
        self._popen = _NeverEnding()
        self._sentinel = self._popen.sentinel

    return start


class _NeverEnding:
    """Stands for the process itself, which runs for as long as one looks at it."""

    pid = 0
    sentinel = -1
    returncode = None

    def poll(self, *_: object) -> None:
        pass

    def wait(self, timeout: float | None = None) -> None:
        pass

    def terminate(self) -> None:
        pass

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass
