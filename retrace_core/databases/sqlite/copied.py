"""Copied: the boundary of sqlite3 for a copy of the driver under another name.

pysqlite3, sqlean.py and sqlcipher3 are the same C code, built with another SQLite, and have
classes, converters and adapters of their own. So each gets modules of its own, made of the same
files as those of sqlite3: where these import the driver, they get the copy. Its events are called
as those of sqlite3 are, since they are the same.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from retrace_core.boundary import Boundary

__all__ = ["copied_boundary"]

_HERE = Path(__file__).parent
_BOUNDARY = "retrace_core.boundaries.sqlite3"
_FILES = {
    "retrace_core.databases.sqlite.parameters": _HERE / "parameters.py",
    "retrace_core.databases.sqlite.cells": _HERE / "cells.py",
    "retrace_core.databases.sqlite.recorded_cursor": _HERE / "recorded_cursor.py",
    "retrace_core.databases.sqlite.recorded_connection": _HERE / "recorded_connection.py",
    _BOUNDARY: _HERE.parents[1] / "boundaries" / "sqlite3.py",
}
"""Those that know the driver, in the order in which they import each other."""


def copied_boundary(driver: ModuleType, supports: str) -> Boundary:
    """Return the boundary of a copy of sqlite3.

    Args:
        driver: its package, which has a module `dbapi2` as sqlite3 has.
        supports: the distribution and versions it was read and tested against.
    """
    modules: dict[str, Any] = {"sqlite3": driver, "sqlite3.dbapi2": driver}

    def importing(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        if name in modules:
            return modules[name]
        return builtins.__import__(name, globals, locals, fromlist, level)

    own = {**vars(builtins), "__import__": importing}
    for name, path in _FILES.items():
        spec = importlib.util.spec_from_file_location(f"{name} of {driver.__name__}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        vars(module)["__builtins__"] = own
        spec.loader.exec_module(module)
        modules[name] = module
    made: Boundary = modules[_BOUNDARY].BOUNDARY
    errors = (driver.__name__, f"{driver.__name__}.dbapi2")
    return dataclasses.replace(made, supports=supports, errors=errors)
