"""Installer: puts each boundary in place when its library is imported, and takes it out.

A boundary's file is found by its path: `boundaries/http/client.py` is for `http.client`.
It is imported when that library is, and not before. Boundaries of other distributions come
by the entry-point group "retrace.boundaries", named by the library's import name.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

from retrace_core import failsafe
from retrace_core.boundary import Boundary, install_hook
from retrace_core.coverage import covering
from retrace_core.declared.switch import declared_errors
from retrace_core.stats import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

__all__ = ["allowed_errors", "available", "install", "installed", "uninstall"]

ENTRY_POINTS = "retrace.boundaries"
_HOME = Path(__file__).with_name("boundaries")
_DECLARES = b"\nBOUNDARY = "

_lock = threading.RLock()
_active = False
_registered: set[str] = set()
_boundaries: dict[str, Boundary] = {}
_removers: dict[str, list[Callable[[], None]]] = {}
_failed: dict[str, str] = {}
_needless: set[str] = set()


def available() -> dict[str, str]:
    """Return library name -> name of the module that holds its boundary, ours only."""
    return dict(_available())


@functools.cache  # going through the folder costs as much as putting the boundaries in place
def _available() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(_HOME.rglob("*.py")):
        parts = file.relative_to(_HOME).with_suffix("").parts
        if parts[-1] == "__init__":  # of a library that has boundaries of its modules, too
            if _DECLARES not in file.read_bytes():
                continue
            parts = parts[:-1]
        found[".".join(parts)] = ".".join(("retrace_core", "boundaries", *parts))
    return found


def known() -> list[str]:
    """Return the names of all libraries that have a boundary, ours and other packages'."""
    return [*available(), *(name for name in _foreign() if name not in available())]


def install(only: Iterable[str] | None = None) -> None:
    """Install every boundary whose library is loaded, and the others as theirs get loaded.

    Calling it again is harmless.

    Args:
        only: names of libraries to restrict it to; default all.
    """
    global _active
    covering.by(installed)
    with _lock:
        _active = True
    wanted = None if only is None else set(only)
    for library, home in {**available(), **_foreign()}.items():
        if wanted is None or library in wanted:
            _register(library, home)


def uninstall() -> None:
    """Take all boundaries out again, last one first."""
    global _active
    with _lock:
        _active = False
        for library in reversed(list(_boundaries)):
            for remove in reversed(_removers.pop(library)):
                with failsafe.gate(f"remove boundary {library}"):
                    remove()
            del _boundaries[library]
        allowed_errors.cache.clear()


def installed() -> list[str]:
    """Return the names of the libraries whose boundary is in place."""
    return list(_boundaries)


def needless() -> list[str]:
    """Return the names of those loaded that need no boundary: another stands below them."""
    return list(_needless)


def in_place() -> list[Boundary]:
    """Return the boundaries that are in place."""
    return list(_boundaries.values())


def failures() -> dict[str, str]:
    """Return library name -> why its boundary could not be installed."""
    return dict(_failed)


class _AllowedErrors:
    """The exception classes that a replay may rebuild, by their full names."""

    def __init__(self) -> None:
        self.cache: dict[str, type[BaseException]] = {}

    def __call__(self) -> dict[str, type[BaseException]]:
        """Return full name -> class, of all installed and declared boundaries."""
        if not self.cache:
            for boundary in _boundaries.values():
                for cls in _error_classes(boundary):
                    self.cache[f"{cls.__module__}.{cls.__qualname__}"] = cls
        return {**self.cache, **declared_errors()}


allowed_errors = _AllowedErrors()


def _error_classes(boundary: Boundary) -> Iterable[type[BaseException]]:
    for item in boundary.errors:
        if not isinstance(item, str):
            yield item
            continue
        module = sys.modules.get(item)
        for value in list(vars(module).values()) if module is not None else ():
            # Not `isinstance`: that would wake lazy objects up (Django's settings).
            if issubclass(type(value), type) and issubclass(value, BaseException):
                yield value


@functools.cache
def _foreign() -> dict[str, str]:
    return {entry.name: entry.value for entry in metadata.entry_points(group=ENTRY_POINTS)}


def _register(library: str, home: str) -> None:
    if library in _boundaries:
        return
    module = sys.modules.get(library)
    if module is not None and not (library in _registered and _is_loading(module)):
        _install_one(library, home, module)
        return
    with _lock:
        known = library in _registered
        _registered.add(library)
    if not known:
        register_post_import_hook(lambda module: _install_one(library, home, module), library)


def _is_loading(module: ModuleType) -> bool:
    """Return whether an import of it runs: of another thread, which calls our hook at its end.

    To import the boundary meanwhile would have the two wait for each other.
    """
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _install_one(library: str, home: str, module: ModuleType) -> None:
    with failsafe.gate(f"install boundary {library}"):
        try:
            # Never under our lock: another thread may hold the lock of a module that is
            # imported here, and wait for ours in its own import.
            boundary: Boundary | None = importlib.import_module(home).BOUNDARY
        except Exception as error:
            _failed[library] = f"{type(error).__name__}: {error}"
            raise
        if boundary is None:
            _needless.add(library)
            return
        with _lock:
            if _active and library not in _boundaries:
                _put_in_place(library, boundary, module)


def _put_in_place(library: str, boundary: Boundary, module: ModuleType) -> None:
    removers: list[Callable[[], None]] = []
    try:
        if boundary.install is not None:
            boundary.install(module)
            if boundary.remove is not None:
                removers.append(boundary.remove)
        removers.extend(install_hook(boundary, hook) for hook in boundary.hooks)
    except Exception as error:
        _failed[library] = f"{type(error).__name__}: {error}"
        for remove in reversed(removers):
            remove()
        raise
    _failed.pop(library, None)
    _boundaries[library] = boundary
    _removers[library] = removers
    allowed_errors.cache.clear()
    count("boundaries.installed")
