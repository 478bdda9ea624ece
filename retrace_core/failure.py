"""Failure: an exception and its traceback as plain data, to keep and to compare."""

from __future__ import annotations

import linecache
import os
from typing import TYPE_CHECKING

from retrace_core.recording import Failure, Frame

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["application_frames", "describe"]

_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_OURS = (os.path.join(_HERE, "retrace_core", ""), os.path.join(_HERE, "retrace_mw", ""))
_DEPTH = 200
_CHAIN = 8


def describe(error: BaseException, *, handled: bool = False) -> Failure:
    """Return the class, message, frames and cause of `error`; never raises for any error.

    Args:
        error: any exception.
        handled: True when the application, or its framework, caught it and logged it.
    """
    return _describe(error, _CHAIN, handled=handled)


def application_frames(frames: list[Frame]) -> list[Frame]:
    """Return the frames that record and replay have in common.

    Ours at the top are dropped, and those of the middleware, which `retrace run` puts around
    mounted applications too; from a boundary of ours on downwards all are, because what lies
    below a boundary does not run on replay.
    """
    start = 0
    while start < len(frames) and _is_ours(frames[start].file):
        start += 1
    kept: list[Frame] = []
    for frame in frames[start:]:
        if _is_in(frame.file, "retrace_core"):
            break
        if not _is_ours(frame.file):
            kept.append(frame)
    return kept


def _is_in(file: str, package: str) -> bool:
    return file.startswith((os.path.join(_HERE, package, ""), f"{package}/"))


def _is_ours(file: str) -> bool:
    return file.startswith(_OURS) or file.startswith(("retrace_core/", "retrace_mw/"))


def _describe(error: BaseException, chain: int, *, handled: bool = False) -> Failure:
    cause = error.__cause__
    context = None if error.__suppress_context__ else error.__context__
    follow = cause or context
    kind = type(error)
    try:
        message = str(error)
    except Exception:  # an application's own __str__ may be broken  # noqa: BLE001
        message = "<str() of the exception failed>"
    return Failure(
        type=f"{kind.__module__}.{kind.__qualname__}",
        message=message,
        frames=_frames(error.__traceback__),
        cause=_describe(follow, chain - 1) if follow is not None and chain else None,
        cause_is_context=cause is None,
        handled=handled,
    )


def _frames(trace: TracebackType | None) -> list[Frame]:
    frames: list[Frame] = []
    while trace is not None and len(frames) < _DEPTH:
        code = trace.tb_frame.f_code
        frames.append(
            Frame(
                file=code.co_filename,
                line=trace.tb_lineno,
                function=code.co_qualname,
                source=linecache.getline(code.co_filename, trace.tb_lineno).strip(),
            )
        )
        trace = trace.tb_next
    return frames
