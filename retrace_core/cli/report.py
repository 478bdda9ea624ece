"""Report: the outcome of a replay, in words for people and in JSON for machines."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.cli.deviations import deviation_document, deviation_lines
from retrace_core.cli.document import event_document, plain
from retrace_core.cli.flags import flag_lines
from retrace_core.cli.masking import MASK, is_sensitive
from retrace_core.cli.side_by_side import body_lines, sections
from retrace_core.cli.words import call_words, cut, key_words, plural, size
from retrace_core.failure import application_frames
from retrace_core.recording import SoftEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core.cli.apps import App
    from retrace_core.cli.screen import Screen
    from retrace_core.recording import Failure
    from retrace_core.replay import Difference, Divergence, ReplayResult

__all__ = ["Report"]

_DIFF_LINES = 60
_WIDE = 100
"""Terminals of so many columns show both sides beside each other."""
_KEY = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One replay, to be told."""

    path: Path
    app: App
    result: ReplayResult
    warnings: list[str]
    """What differs between the recorded process and this one."""
    reveal: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        result, header = self.result, self.result.recording.header
        response, failure = result.response, result.failure
        return {
            "file": str(self.path),
            "trace": header.folder or header.trace_id,
            "service": header.service,
            "method": header.method,
            "path": header.path,
            "app": self.app.name,
            "app_dir": self.app.folder,
            "mode": result.mode,
            "live_on_miss": list(result.live),
            "identical": result.identical,
            "same_outcome": result.same_outcome,
            "exit_status": result.exit_status,
            "recorded": {
                "status": header.status,
                "error": header.error,
                **_failure_document(result.recording.failure),
            },
            "replayed": {
                "status": response.status if response else 0,
                "error": failure.type if failure else "",
                **_failure_document(failure),
            },
            "divergence": result.divergence and _divergence_document(result.divergence),
            "differences": [self._difference_document(one) for one in result.differences],
            "deviations": [deviation_document(one) for one in result.deviations],
            "refused": result.refused,
            "unused": result.unused,
            "flags": plain(result.flags),
            "left_out": result.first_passed and _divergence_document(result.first_passed),
            "events_served": result.events_served,
            "notes": result.notes,
            "warnings": self.warnings,
            "summary": self.summary(),
        }

    def summary(self) -> str:
        """Return the verdict on one line."""
        result = self.result
        if result.identical:
            return (
                f"{_outcome(result)}; {plural(result.events_served, 'answer')} from the recording"
            )
        if result.divergence is not None:
            return result.divergence.summary()
        if result.refused:
            return f"a live call was refused: {result.refused[0]}"
        if result.differences:
            return f"came out differently: {', '.join(one.what for one in result.differences)}"
        if result.deviations:
            counts = Counter(one.how for one in result.deviations)
            listed = ", ".join(f"{count} {how}" for how, count in counts.items())
            return f"same outcome on other calls: {listed}"
        return f"{plural(result.unused, 'recorded call')} not made again"

    def show(self, screen: Screen) -> None:
        """Print it for people."""
        result, header = self.result, self.result.recording.header
        name = f"{header.service}  {header.method} {header.path}  →  {_outcome(result)}"
        if result.identical:
            screen.spans(("identical  ", "bold green"), name)
            screen.line(f"  {_compared(result)}")
            for line in flag_lines(result.recording, result.flags):
                screen.line(f"  {line}; it made no difference")
        else:
            verdict = ("same outcome, other calls  ", "bold yellow")
            screen.spans(
                verdict
                if result.same_outcome and result.deviations
                else ("divergent  ", "bold red"),
                name,
            )
            if result.mode != "strict" or result.live:
                screen.line(f"  {result.terms()}", "bold yellow")
            beside = screen.width >= _WIDE and not result.flags
            for line, style in (*self._flag_lines(), *self._reasons(beside=beside)):
                screen.line(f"  {line}".rstrip(), style)
            if beside:
                for section in sections(result, reveal=self.reveal):
                    screen.heading(section.title)
                    screen.beside((one.recorded, one.replayed, one.note) for one in section.pairs)
        for text in result.notes:
            screen.line(f"  note: {text}", "yellow")

    def _flag_lines(self) -> Iterator[tuple[str, str]]:
        result = self.result
        for line in flag_lines(result.recording, result.flags):
            yield line, ""
        if result.first_passed is not None:
            yield "", ""
            yield from _divergence_lines(result.first_passed)
        if result.flags and result.divergence is not None:
            yield "", ""

    def _reasons(self, *, beside: bool) -> Iterator[tuple[str, str]]:
        """Yield lines; what is shown side by side as well is left out where that is so."""
        result = self.result
        for one in () if beside else result.deviations:
            yield "", ""
            yield from deviation_lines(one)
        if result.divergence is not None:
            yield from _divergence_lines(result.divergence)
        for text in result.refused:
            yield "", ""
            yield f"live call refused: {text}", "red"
        for difference in () if beside else result.differences:
            yield "", ""
            yield from self._difference_lines(difference)
        if result.unused:
            yield "", ""
            yield f"{plural(result.unused, 'recorded call')} not made again", "red"

    def _is_masked(self, difference: Difference) -> bool:
        return not self.reveal and is_sensitive(difference.what.removeprefix("header "))

    def _difference_document(self, difference: Difference) -> dict[str, Any]:
        hidden = self._is_masked(difference)
        return {
            "what": difference.what,
            "recorded": MASK if hidden else plain(difference.recorded),
            "replayed": MASK if hidden else plain(difference.replayed),
        }

    def _difference_lines(self, difference: Difference) -> Iterator[tuple[str, str]]:
        if difference.what == "body":
            yield from self._body_lines(difference.recorded, difference.replayed)
            return
        yield f"{difference.what} came out differently", "bold"
        if self._is_masked(difference):
            yield "  both are masked; --reveal shows them", "dim"
        elif difference.what == "traceback":
            yield from _diff_lines(difference.recorded, difference.replayed)
        else:
            yield f"  recorded  {_side(difference.recorded)}", "red"
            yield f"  replayed  {_side(difference.replayed)}", "green"

    def _body_lines(self, was: bytes, now: bytes) -> Iterator[tuple[str, str]]:
        yield (
            f"body came out differently: recorded {size(len(was))}, replayed {size(len(now))}",
            "bold",
        )
        recorded, response = self.result.recording.response, self.result.response
        lines_was = body_lines(was, recorded.headers if recorded else [])
        lines_now = body_lines(now, response.headers if response else [])
        if lines_was is None or lines_now is None or lines_was == lines_now:
            place = next(
                (i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b),
                min(len(was), len(now)),
            )
            yield f"  the first difference is at byte {place}", ""
            return
        yield from _diff_lines(lines_was, lines_now)


def _outcome(result: ReplayResult) -> str:
    response, failure = result.response, result.failure
    status = str(response.status) if response else "no response"
    return f"{status}, {_failure_words(failure)}" if failure else status


def _failure_document(failure: Failure | None) -> dict[str, Any]:
    """Return what an exception said and where it came from, innermost frame last."""
    if failure is None:
        return {}
    frames = application_frames(failure.frames)
    return {"message": plain(failure.message), "traceback": [plain(frame) for frame in frames]}


def _failure_words(failure: Failure) -> str:
    name = failure.type.rsplit(".", 1)[-1]
    message = f": {cut(failure.message, 80)}" if failure.message else ""
    return f"{name}{message}"


def _compared(result: ReplayResult) -> str:
    """Return what was compared and found the same."""
    recorded = result.recording.response
    parts: list[str] = []
    if recorded is not None:
        body = size(recorded.body_bytes)
        parts += ["status", plural(len(recorded.headers), "header"), f"{body} of body"]
    if result.recording.failure is not None:
        parts.append("the exception with its traceback")
    listed = ", ".join(parts) or "nothing came out, as recorded"
    return (
        f"same: {listed}; {plural(result.events_served, 'answer')} came from the recording,"
        " no live call was made"
    )


def _divergence_lines(divergence: Divergence) -> Iterator[tuple[str, str]]:
    asked = (
        f"{divergence.asked_kind}  {key_words(divergence.asked_kind, divergence.asked_key, _KEY)}"
    )
    reason = divergence.reason or _reason(divergence)
    yield f"lane {divergence.lane}, call {divergence.position}: {reason}", "bold"
    recorded = divergence.recorded
    was = f"{recorded.kind}  {call_words(recorded, _KEY)}" if recorded else "nothing more"
    yield f"  recorded  {was}", "red"
    yield f"  asked     {asked}", "green"
    where = divergence.where
    if where is not None:
        yield f"  by        {where.file}:{where.line} in {where.function}", ""
        if where.source:
            yield f"            {where.source}", "dim"
    if recorded is None and not divergence.reason:
        yield "  A cold cache is a likely cause: an earlier request had filled it.", ""
    if divergence.neighbours:
        yield f"  recorded around it in lane {divergence.lane}:", "dim"
    # The neighbours end before, or go on after, the place of the divergence.
    first = divergence.position - sum(
        recorded is None or event.seq < recorded.seq for event in divergence.neighbours
    )
    for place, event in enumerate(divergence.neighbours, first):
        mark = ">" if place == divergence.position else " "
        yield f"  {mark} {place}  {event.kind}  {call_words(event)}".rstrip(), "dim"


def _reason(divergence: Divergence) -> str:
    if divergence.recorded is None:
        return "the code asked once more than was recorded"
    if divergence.recorded.kind != divergence.asked_kind:
        return "the code made another call than was recorded"
    return "the code asked something else than was recorded"


def _divergence_document(divergence: Divergence) -> dict[str, Any]:
    recorded = divergence.recorded
    return {
        "lane": divergence.lane,
        "position": divergence.position,
        "reason": divergence.reason or _reason(divergence),
        "recorded": recorded and event_document(recorded),
        "asked": {"kind": divergence.asked_kind, "key": plain(divergence.asked_key)},
        "where": plain(divergence.where),
        "neighbours": [
            event_document(event)
            for event in divergence.neighbours
            if not isinstance(event, SoftEvent)
        ],
    }


def _side(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return cut(str(value), _KEY)


def _diff_lines(was: list[str], now: list[str]) -> Iterator[tuple[str, str]]:
    lines = list(difflib.unified_diff(was, now, "recorded", "replayed", n=2, lineterm=""))
    styles = {"-": "red", "+": "green", "@": "cyan"}
    for line in lines[:_DIFF_LINES]:
        yield f"  {cut(line, 300)}", styles.get(line[:1], "")
    if len(lines) > _DIFF_LINES:
        yield f"  … {len(lines) - _DIFF_LINES} more lines; --json has all", "dim"
