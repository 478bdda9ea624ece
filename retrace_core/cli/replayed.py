"""Replayed: one recording run in this process for `retrace verify`, and its verdict as JSON."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrace_core.cli.apps import App
from retrace_core.cli.holes import hole_note
from retrace_core.cli.ignoring import ignoring, parse_rule
from retrace_core.cli.mismatch import mismatches
from retrace_core.cli.report import Report
from retrace_core.cli.terms import unusable
from retrace_core.environment import commit_of
from retrace_core.errors import RetraceError
from retrace_core.replay import replay
from retrace_core.replay.earlier import WHICH, earlier, ways_to_warm
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.cli.terms import Terms
    from retrace_core.replay import ReplayResult
    from retrace_core.replay.earlier import Which

__all__ = ["replayed", "warmer"]


def warmer(path: str, terms: Terms, document: dict[str, Any]) -> list[Which]:
    """Return which other requests of its process to run first, by turns, where a replay failed.

    Args:
        path: of the trace file.
        terms: under which it was replayed.
        document: the verdict on it.
    """
    if document["exact"] or terms.earlier != "auto":
        return []
    with contextlib.suppress(RetraceError):
        return list(ways_to_warm(Path(path), load(path)))
    return []


def replayed(
    path: str, terms: Terms, *, last: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Replay a recording and return what `retrace replay --json` says of it, and more:

    "exact": every call was answered by its own recorded answer, none is left, and the same
    came out; "ignored": differences that the rules took away; "ignore_met": the rules that
    there was a field for; "warmed": how many earlier requests of its process ran first.

    Args:
        path: of the trace file.
        terms: under which it is replayed.
        last: gets what is said of one that a program was started for, and ends the process: the
            program is in the midst of its work.
    """
    try:
        recording = load(path)
        which = terms.earlier
        first = earlier(Path(path), recording, which) if which in WHICH else []
        program = recording.header.environment.program if terms.program else None

        def told(result: ReplayResult) -> dict[str, Any]:
            return _document(path, terms, result, len(first))

        def done(result: ReplayResult) -> None:
            assert last is not None
            last(told(result))

        return told(
            replay(
                Path(path),  # beside it is the boot tape
                terms.app if program is None else program,
                app_dir=terms.app_dir,
                patience_s=min(10.0, terms.timeout_s),
                mode=terms.mode,
                before=first,
                done=done if program is not None and last is not None else None,
            )
        )
    except RetraceError as error:
        return unusable(path, str(error))


def _document(path: str, terms: Terms, result: ReplayResult, warmed: int) -> dict[str, Any]:
    recording = result.recording
    rules = [parse_rule(text) for text in terms.ignore]
    result, met, gone = ignoring(result, rules)
    report = Report(
        path=Path(path),
        app=App(name=terms.app, folder=terms.app_dir, origin="verify"),
        result=result,
        warnings=[
            *mismatches(recording.header.environment, terms.app_dir),
            *filter(None, [hole_note(recording.header)]),
        ],
    )
    document = report.document()
    document["holes"] = recording.header.holes
    document["exact"] = result.identical
    document["ignored"] = gone
    document["ignore_met"] = met
    document["warmed"] = warmed
    document["commit"] = commit_of(terms.app_dir)
    document["span_id"] = recording.header.span_id
    return document
