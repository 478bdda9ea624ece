"""Side by side: what was recorded beside what was replayed: calls, status, headers, body."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.cli.bodies import as_text, decompressed
from retrace_core.cli.masking import MASK, is_sensitive
from retrace_core.cli.words import call_words, key_words, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.recording import Headers, Response
    from retrace_core.replay import Difference, ReplayResult
    from retrace_core.replay.deviation import Deviation

__all__ = ["Pair", "Section", "body_lines", "sections"]

_FULL = 100_000
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """One line: what was recorded and what was replayed; None where one side has none."""

    recorded: str | None
    replayed: str | None
    note: str = ""

    @property
    def same(self) -> bool:
        """True where both sides are alike."""
        return self.recorded == self.replayed


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together, with a heading."""

    title: str
    pairs: list[Pair]


def sections(result: ReplayResult, *, reveal: bool = False, full: bool = False) -> list[Section]:
    """Return what differs, and of bodies what is around it.

    Args:
        result: of a replay.
        reveal: sensitive headers are shown.
        full: the whole of each body.
    """
    found = [
        Section("Calls", list(_calls(result))),
        Section("Status and headers", list(_head(result, reveal))),
        Section("Body", list(_body(result, full))),
        Section("Exception", list(_exception(result))),
    ]
    return [section for section in found if section.pairs]


def body_lines(body: bytes, headers: Headers) -> list[str] | None:
    """Return a body as lines to compare, JSON laid out; None when it is binary."""
    text = as_text(decompressed(body, headers))
    if text is None:
        return None
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return text.split("\n")


def _calls(result: ReplayResult) -> Iterator[Pair]:
    for one in result.deviations:
        yield Pair(*_both(one), one.words)
    divergence = result.divergence
    if divergence is not None:
        recorded = divergence.recorded
        was = f"{recorded.kind}  {call_words(recorded, _FULL)}" if recorded else None
        asked = key_words(divergence.asked_kind, divergence.asked_key, _FULL)
        yield Pair(
            was, f"{divergence.asked_kind}  {asked}", divergence.reason or "the replay ended here"
        )
    for text in result.refused:
        yield Pair(None, text, "a live call was refused")


def _both(one: Deviation) -> tuple[str | None, str | None]:
    was = now = None
    if one.recorded is not None:
        was = f"{one.recorded.kind}  {call_words(one.recorded, _FULL)}"
    if one.asked is not None:
        now = f"{one.kind}  {key_words(one.kind, one.asked, _FULL)}"
    return was, now


def _head(result: ReplayResult, reveal: bool) -> Iterator[Pair]:
    for one in result.differences:
        if one.what in ("body", "exception", "traceback"):
            continue
        hidden = not reveal and is_sensitive(one.what.removeprefix("header "))
        was, now = (MASK, MASK) if hidden else (_text(one.recorded), _text(one.replayed))
        yield Pair(
            _named(one, was), _named(one, now), "masked; --reveal shows it" if hidden else ""
        )


def _named(one: Difference, value: str | None) -> str | None:
    return None if value is None else f"{one.what.removeprefix('header ')}: {value}"


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return None if value is None else str(value)


def _body(result: ReplayResult, full: bool) -> Iterator[Pair]:
    if not any(one.what == "body" for one in result.differences):
        return
    was, now = _bytes(result.recording.response), _bytes(result.response)
    lines_was = body_lines(was[0], was[1])
    lines_now = body_lines(now[0], now[1])
    if lines_was is None or lines_now is None or lines_was == lines_now:
        yield Pair(f"{size(len(was[0]))}, binary", f"{size(len(now[0]))}, binary", "bytes differ")
        return
    matcher = difflib.SequenceMatcher(None, lines_was, lines_now, autojunk=False)
    groups: Any = [matcher.get_opcodes()] if full else list(matcher.get_grouped_opcodes(_CONTEXT))
    for place, group in enumerate(groups):
        if place:
            yield Pair("⋯", "⋯")
        for _, a, b, c, d in group:
            left, right = lines_was[a:b], lines_now[c:d]
            for row in range(max(len(left), len(right))):
                yield Pair(
                    left[row] if row < len(left) else None,
                    right[row] if row < len(right) else None,
                )


def _bytes(response: Response | None) -> tuple[bytes, Headers]:
    return (b"".join(response.body), response.headers) if response else (b"", [])


def _exception(result: ReplayResult) -> Iterator[Pair]:
    for one in result.differences:
        if one.what == "exception":
            yield Pair(_text(one.recorded), _text(one.replayed))
        elif one.what == "traceback":
            longest = max(len(one.recorded), len(one.replayed))
            for row in range(longest):
                yield Pair(
                    one.recorded[row] if row < len(one.recorded) else None,
                    one.replayed[row] if row < len(one.replayed) else None,
                )
