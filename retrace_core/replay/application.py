"""Application: finds the app that a recording names, "module:attribute", and imports it."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from retrace_core.errors import AppNotLoadable, LiveCallRefused
from retrace_core.replay.divergence import DivergedError

__all__ = ["load_app"]


def load_app(name: str, app_dir: str | None = None, *, missing: str = "") -> Any:
    """Return the application object that `name` means.

    Args:
        name: "module:attribute", as uvicorn and gunicorn write it; "module:make()" calls a
            factory without arguments.
        app_dir: the folder to put first on `sys.path`; default the current one.
        missing: what the start-up lacks, for the error, in words; default nothing.

    Raises:
        AppNotLoadable: it can't be imported, or has no such attribute.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise AppNotLoadable(f"app {name!r} is not of the form module:attribute; give --app")
    folder = os.path.abspath(app_dir or os.getcwd())
    if not os.path.isdir(folder):
        raise AppNotLoadable(f"app folder {folder} is not there; give --app-dir")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit, DivergedError) as error:
        hint = "give --app and --app-dir"
        if isinstance(error, LiveCallRefused):
            hint = "its import reaches for the live world; move that into a start-up function"
        hint = missing or hint
        raise AppNotLoadable(
            f"app {name!r} can't be imported from {folder}: {type(error).__name__}: {error}; {hint}"
        ) from error
    call = attribute.endswith("()")
    for part in attribute.removesuffix("()").split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise AppNotLoadable(
                f"module {module_name!r} in {folder} has no attribute {part!r}; give --app"
            ) from error
    return found() if call else found
