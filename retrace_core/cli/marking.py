"""Marking: writes the *verified* mark beside recordings that replay identically, as they come."""

from __future__ import annotations

import platform
import signal
import threading
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrace_core.cli.corpus import Chosen, choose
from retrace_core.cli.screen import Screen
from retrace_core.cli.verify_pool import replay_all
from retrace_core.cli.words import cut
from retrace_core.errors import RecordingError, RecordingNotFound
from retrace_core.store.verified import Verified, read_mark, write_mark
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["mark", "watch"]


def mark(document: dict[str, Any]) -> bool:
    """Mark the recording of a verdict when it is identical; True when it was not marked yet.

    With an ignored difference it is not identical, nor in tolerant mode.
    """
    if not document["exact"] or document.get("ignored") or document.get("mode") != "strict":
        return False
    return write_mark(
        Path(document["file"]),
        Verified(
            span_id=document["span_id"],
            verified_ns=time.time_ns(),
            commit=document["commit"],
            app=document["app"],
            python=platform.python_version(),
            retrace=metadata.version("retrace-mw"),
        ),
    )


def watch(
    find: Callable[[], Sequence[Path]], chosen: Chosen, *, jobs: int, interval_s: float
) -> int:
    """Replay and mark what has no mark yet, until SIGINT or SIGTERM; returns 0.

    What did not replay is said once, and tried again when this is started again.

    Args:
        find: returns the trace files that are there now.
        chosen: which of them to replay, and how.
        jobs: how many at the same time.
        interval_s: how long to wait between looks, in seconds.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    tried: set[Path] = set()
    screen = Screen()
    while not stop.is_set():
        try:
            fresh = [path for path in find() if path not in tried and not _is_marked(path)]
        except RecordingNotFound:
            fresh = []  # none yet
        tried.update(fresh)
        corpus = choose(fresh, chosen)

        def done(document: dict[str, Any]) -> None:
            marked = mark(document)
            why = document.get("unusable") or document.get("summary", "")
            style = "green" if marked else "red"
            screen.spans(
                ("verified  " if marked else "not       ", style),
                f"{document['file']}  {cut(why, 200)}",
            )

        for document in corpus.unusable:
            done(document)
        if corpus.jobs:
            replay_all(corpus.jobs, at_once=jobs, done=done, stop=stop)
        stop.wait(interval_s)
    return 0


def _is_marked(path: Path) -> bool:
    try:
        return read_mark(path, load_header(path).span_id) is not None
    except RecordingError:
        return False
