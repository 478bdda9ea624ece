"""Flags: `--flag NAME=VALUE` of `retrace replay`, and the flags that `retrace show` lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.words import cut, value_words
from retrace_core.errors import FlagNotAsked, RetraceError
from retrace_core.flags import evaluations
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from retrace_core.cli.screen import Cell, Screen
    from retrace_core.flags import Evaluation
    from retrace_core.recording import Recording

__all__ = ["flag_lines", "narrow", "parse_flags", "show_flags"]

_CUT, _FULL = 80, 1_000_000


def parse_flags(given: Sequence[str]) -> dict[str, Any]:
    """Return the flags to flip by name; a value that is no JSON is text.

    Raises:
        click.UsageError: one is not of the form NAME=VALUE.
    """
    flags: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not name or not sign:
            raise click.UsageError(f"--flag {text} is not of the form NAME=VALUE")
        try:
            flags[name] = json.loads(value)
        except (ValueError, RecursionError):
            flags[name] = value
    return flags


def narrow(paths: Sequence[Path], flags: Mapping[str, Any]) -> dict[Path, dict[str, Any]]:
    """Return which recordings to replay, each with the flags that it has asked.

    Args:
        paths: of several recordings; without flags all are replayed.
        flags: to flip; of a trace, seldom every service has asked every flag.

    Raises:
        FlagNotAsked: none of the recordings has asked one of the flags.
    """
    if not flags:
        return {path: {} for path in paths}
    asked = {path: _asked(path) for path in paths}
    everywhere = {name for names in asked.values() for name in names or ()}
    for name in flags:
        if name not in everywhere:
            raise FlagNotAsked(name, sorted(everywhere))
    found: dict[Path, dict[str, Any]] = {}
    for path, names in asked.items():
        own = {name: value for name, value in flags.items() if names is None or name in names}
        if own:
            found[path] = own if names is not None else {}
    return found


def _asked(path: Path) -> set[str] | None:
    """Return the flags that a recording has asked, or None when it can't be read."""
    try:
        return {one.name for one in evaluations(load(path))}
    except RetraceError:
        return None  # its own replay says why


def flag_lines(recording: Recording, flags: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each flipped flag: its recorded value and the new one."""
    seen = evaluations(recording)
    for name, value in flags.items():
        recorded = dict.fromkeys(_value(one.value, _CUT) for one in seen if one.name == name)
        yield f"flag {name}: recorded {', '.join(recorded)}, replayed {_value(value, _CUT)}"


def show_flags(screen: Screen, recording: Recording, *, full: bool) -> None:
    """Print the flags that a request saw, each answer once."""
    counts: dict[tuple[str, ...], int] = {}
    for one in evaluations(recording):
        cells = _cells(one, _FULL if full else _CUT)
        counts[cells] = counts.get(cells, 0) + 1
    if not counts:
        return
    screen.heading("Flags")
    rows: list[list[Cell]] = [
        [(f"  {name}", "cyan"), value, variation, (reason, "dim"), (kind, "dim"), str(times)]
        for (name, value, variation, reason, kind), times in counts.items()
    ]
    screen.table(("  NAME", "VALUE", "VARIATION", "REASON", "CALL", "TIMES"), rows)


def _cells(one: Evaluation, limit: int) -> tuple[str, ...]:
    value = _value(one.value, limit)
    return cut(one.name, limit), value, cut(one.variation, limit), cut(one.reason, limit), one.kind


def _value(value: Any, limit: int) -> str:
    return "none" if value is None else value_words(value, limit)
