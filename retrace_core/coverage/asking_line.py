"""Asking line: which line of the application asked, and by which library."""

from __future__ import annotations

import linecache
import os
import pathlib
import sys
import sysconfig
from typing import TYPE_CHECKING

from retrace_core.recording import Frame

if TYPE_CHECKING:
    from types import FrameType

__all__ = [
    "asking_line",
    "frame_of",
    "is_core",
    "is_library",
    "is_ours",
    "library_of",
    "within_packages",
]

_HERE = str(pathlib.Path(__file__).absolute().parents[2])
_OURS = (os.path.join(_HERE, "retrace_core", ""), os.path.join(_HERE, "retrace_mw", ""))
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_LIBRARIES = (os.path.join(sysconfig.get_paths()["stdlib"], ""), *_PACKAGES)


def asking_line() -> Frame | None:
    """Return the innermost line of the application on the calling thread's stack."""
    frame: FrameType | None = sys._getframe(1)
    fallback: FrameType | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        script = frame.f_globals.get("__name__") == "__main__" and file.endswith("/retrace")
        if not script and not is_ours(file):
            if not is_library(file):
                return frame_of(frame)
            fallback = fallback or frame
        frame = frame.f_back
    return frame_of(fallback) if fallback is not None else None


def frame_of(frame: FrameType) -> Frame:
    """Return a running frame as a line of a traceback."""
    file, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(file, line).strip()
    return Frame(file=file, line=line, function=frame.f_code.co_qualname, source=source)


def is_ours(file: str) -> bool:
    """Return True for a file of this project, and for what is frozen into the interpreter."""
    return file.startswith((*_OURS, "<frozen"))


def is_core(file: str) -> bool:
    """Return True for a file of `retrace_core`, of which the boundaries are."""
    return file.startswith(_OURS[0])


def is_library(file: str) -> bool:
    """Return True for a file of the standard library or of an installed distribution."""
    return any(part in file for part in _LIBRARIES)


def library_of(file: str) -> str:
    """Return the top-level package of an installed distribution's file, else ""."""
    return within_packages(file).partition(os.sep)[0].removesuffix(".py")


def within_packages(file: str) -> str:
    """Return an installed distribution's file by its path among those, else ""."""
    for part in _PACKAGES:
        _, found, rest = file.rpartition(part)
        if found:
            return rest
    return ""
