"""A signal whose handler raises comes at whatever line runs: the end of a request is no exception.

Servers leave so (gunicorn's workers, by SystemExit), and the client has had its answer by then.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import retrace_core
import retrace_mw
from retrace_core import load, writer
from retrace_mw import Limits, RetraceMiddleware
from retrace_mw.deciders import KeepIf

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

OURS = tuple(str(Path(one.__file__).parent) for one in (retrace_core, retrace_mw))


def interrupting(line: int) -> Callable[[FrameType, str, object], Any]:
    """Return a trace function that raises SystemExit at the n-th line of ours, once."""
    passed = count(1)
    at: dict[FrameType, int] = {}

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        # Where a `with` is left its line is told once more, just before what it has is let go of:
        # there no signal comes.
        ahead = frame.f_lineno > at.get(frame, 0)
        at[frame] = frame.f_lineno
        if event == "line" and ahead and next(passed) == line:
            at.clear()
            raise SystemExit(line)  # Python takes the trace function off as it raises
        return trace

    return trace


def app(environ: Any, start_response: Any) -> Any:
    """Answer each request alike."""
    start_response("200 OK", [])
    return [b"served"]


def end_request(wrapped: Any, trace_id: str, line: int) -> bool:
    """Serve a request, leaving at the n-th line of its end; False where its end has no such."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_X_TRACE_ID": trace_id}
    chunks = wrapped(environ, lambda *_: None)
    assert b"".join(chunks) == b"served"
    sys.settrace(interrupting(line))
    try:
        chunks.close()
    except SystemExit:
        return True
    finally:
        sys.settrace(None)
    return False


@pytest.mark.parametrize(
    "options",
    [{}, {"decide": KeepIf(lambda finished: True)}],
    ids=["decided before", "decided at the end"],
)
def test_a_request_that_was_answered_is_recorded_once(
    recordings: Path, options: dict[str, Any]
) -> None:
    """Whichever line of ours it is at."""
    wrapped = RetraceMiddleware(app, limits=Limits(per_second=0), **options)
    writers = []
    for line in count(1):
        writer._after_fork()  # a thread is started anew, as for a worker's first request
        interrupted = end_request(wrapped, f"at-{line}", line)
        writers.append(writer._writer)
        if not interrupted:
            break
    assert line > 30
    assert all(one is not None and one.flush(10) for one in writers)
    for at in range(1, line + 1):
        paths = list(recordings.glob(f"at-{at}/*/*.bin"))
        assert len(paths) == 1, f"left at line {at}"
        assert load(paths[0]).response is not None
