"""Ignoring: fields of a response that may differ between a recording and its replay, by rule.

A rule is "status", "body", "body.$.items[*].id" (a field of a JSON body, `[*]` any element, `*`
any name), "header.NAME", "exception" or "traceback".
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from retrace_core.cli.bodies import as_text, decompressed
from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retrace_core.recording import Response
    from retrace_core.replay import Difference, ReplayResult

__all__ = ["Rule", "configured_rules", "ignoring", "parse_rule"]

ALLOWED = (
    "status, body, body.$.field (or body.$.list[*].field), header.NAME, exception or traceback"
)
_WHOLE = ("status", "body", "exception", "traceback")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\*)\]")


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One field that may differ."""

    text: str
    """As it was written."""
    steps: tuple[str | int, ...] = ()
    """Of a field of a JSON body, "*" for any."""


def parse_rule(text: str, origin: str = "--ignore") -> Rule:
    """Return a rule.

    Raises:
        ConfigurationError: it is none.
    """
    if text in _WHOLE or re.fullmatch(r"header\.[!-9;-~]+", text):
        return Rule(text)
    path = text.removeprefix("body.$")
    found = list(_STEP.finditer(path))
    if text.startswith("body.$") and found and "".join(one[0] for one in found) == path:
        steps = (one[1] or (one[2] if one[2] == "*" else int(one[2])) for one in found)
        return Rule(text, tuple(steps))
    raise ConfigurationError("ignore", text, ALLOWED, origin)


def configured_rules(given: Sequence[str], file: str = "retrace.toml") -> list[Rule]:
    """Return the rules of the command line and of `[verify] ignore` in a file, if it is there.

    Raises:
        ConfigurationError: a rule is none, or the file is wrong.
    """
    rules = [parse_rule(text) for text in given]
    if Path(file).is_file():
        try:
            content: dict[str, Any] = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(
                "[verify]", file, f"a readable TOML file ({error})", file
            ) from None
        table: Any = content.get("verify", {})
        listed: Any = table.get("ignore", []) if isinstance(table, dict) else None
        if not isinstance(listed, list) or set(cast("dict[str, Any]", table)) - {"ignore"}:
            raise ConfigurationError("[verify]", table, 'ignore = ["body.$.field", ...]', file)
        rules += [parse_rule(str(text), file) for text in listed]
    return list(dict.fromkeys(rules))


def ignoring(
    result: ReplayResult, rules: Iterable[Rule]
) -> tuple[ReplayResult, list[str], list[str]]:
    """Take the differences away that may be there.

    Returns:
        The result without them; the rules that the request had a field for; and the
        differences that were taken away, by name.
    """
    rules = list(rules)
    recorded, replayed = result.recording.response, result.response
    met = [rule.text for rule in rules if _is_met(rule, result)]
    steps = [rule.steps for rule in rules if rule.steps]
    whole = {rule.text.lower() for rule in rules if not rule.steps}
    kept = [one for one in result.differences if _name(one) not in whole]
    if steps and _same_json(recorded, replayed, steps):
        # Its length follows from the fields.
        kept = [one for one in kept if one.what not in ("body", "header content-length")]
    elif "body" in whole:
        kept = [one for one in kept if one.what not in ("body length", "header content-length")]
    gone = [one.what for one in result.differences if one not in kept]
    return dataclasses.replace(result, differences=kept), met, gone


def _name(difference: Difference) -> str:
    return difference.what.lower().replace("header ", "header.", 1)


def _is_met(rule: Rule, result: ReplayResult) -> bool:
    sides = [one for one in (result.recording.response, result.response) if one is not None]
    if rule.steps:
        return any(_take_out(_json(side), rule.steps) for side in sides)
    if rule.text.startswith("header."):
        name = rule.text.removeprefix("header.").lower()
        return any(header.lower() == name for side in sides for header, _ in side.headers)
    if rule.text in ("exception", "traceback"):
        return (result.recording.failure or result.failure) is not None
    return bool(sides)


def _same_json(
    recorded: Response | None, replayed: Response | None, paths: list[tuple[str | int, ...]]
) -> bool:
    was, now = _json(recorded), _json(replayed)
    if was is None or now is None:
        return False
    for steps in paths:
        _take_out(was, steps)
        _take_out(now, steps)
    # As text: 1, 1.0 and true are equal in Python, and the order of names is the response's.
    return json.dumps(was) == json.dumps(now)


def _json(response: Response | None) -> Any:
    if response is None or response.body_cut:
        return None
    text = as_text(decompressed(b"".join(response.body), response.headers))
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return None


def _take_out(value: Any, steps: tuple[str | int, ...]) -> bool:
    """Take out what is at a path, of lists leaving a mark; True when there was anything."""
    step, rest = steps[0], steps[1:]
    places: list[Any] = []
    if isinstance(value, dict):
        names = cast("dict[str, Any]", value)
        places = list(names) if step == "*" else [step] if step in names else []
    elif isinstance(value, list):
        length = len(value)
        places = list(range(length)) if step == "*" else []
        places = [step] if isinstance(step, int) and step < length else places
    if rest:
        return any([_take_out(value[place], rest) for place in places])
    for place in places:
        if isinstance(value, dict):
            del value[place]
        else:
            value[place] = "(ignored)"
    return bool(places)
