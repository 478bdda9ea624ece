"""Flag rules: flags described in a TOML or JSON file, and their value for a context.

    [flags.record-request]
    variation = "off"                       # when nothing below matches
    targets = { full = ["alice", "bob"] }   # these targeting keys get "full"

    [[flags.record-request.rules]]          # the first that matches counts
    when = { plan = ["gold", "silver"], region = { not = "us" } }
    rollout = 10                            # percent of the targeting keys
    variation = "tail"

`enabled = false` switches a flag off. A rollout draws by a hash of flag and targeting key: the
same key is always in or always out, in each service, and stays in when the percentage grows.
`by = "tenant"` draws by an attribute instead.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.flag_context import FlagContext

__all__ = ["Flag", "Rule", "draw", "read_flags"]

_FLAG_KEYS = {"variation", "targets", "rules", "enabled"}
_RULE_KEYS = {"when", "rollout", "by", "variation"}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "not": lambda value, wanted: not _is(value, wanted),
    "starts_with": lambda value, wanted: isinstance(value, str) and value.startswith(wanted),
    "ends_with": lambda value, wanted: isinstance(value, str) and value.endswith(wanted),
    "at_least": lambda value, wanted: _is_number(value) and value >= wanted,
    "below": lambda value, wanted: _is_number(value) and value < wanted,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a flag."""

    variation: object
    when: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Attribute -> the value it must have, a list of which one, or a table of tests."""
    rollout: float = 100.0
    """Percent of the targeting keys."""
    by: str = ""
    """The attribute to draw by; "" for the targeting key."""

    def matches(self, flag: str, key: str, attributes: Mapping[str, Any]) -> bool:
        """Return whether it applies."""
        for name, wanted in self.when.items():
            value = key if name == "key" else attributes.get(name)
            if not _holds(value, wanted):
                return False
        if self.rollout >= 100.0:
            return True
        drawn_by = attributes.get(self.by) if self.by else key
        return drawn_by not in (None, "") and draw(flag, str(drawn_by)) < self.rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag of the file."""

    name: str
    variation: object
    targets: Mapping[str, object] = field(default_factory=dict[str, object])
    """Targeting key -> variation."""
    rules: tuple[Rule, ...] = ()
    needs_key: bool = False
    """True when any of it looks at the targeting key."""

    def variations(self) -> list[object]:
        """Return every variation that it may serve."""
        return [self.variation, *self.targets.values(), *(rule.variation for rule in self.rules)]

    def value(self, context: FlagContext) -> object:
        """Return the variation that a context gets."""
        key = context.key
        if key in self.targets:
            return self.targets[key]
        attributes = context.flat()
        for rule in self.rules:
            if rule.matches(self.name, key, attributes):
                return rule.variation
        return self.variation


def draw(flag: str, key: str) -> float:
    """Return a number from 0.0 up to below 100.0 that is always the same for flag and key."""
    digest = hashlib.sha256(f"{flag}\0{key}".encode()).digest()
    return int.from_bytes(digest[:7], "big") * 100.0 / (1 << 56)


def read_flags(path: str) -> dict[str, Flag]:
    """Return the flags of a file by name.

    Args:
        path: of the file; JSON when it ends in ".json", else TOML.

    Raises:
        ConfigurationError: it can't be read, or something in it is wrong.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
        document: Any = json.loads(data) if path.endswith(".json") else tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:
        allowed = f"a readable TOML or JSON file ({type(error).__name__}: {error})"
        raise ConfigurationError("path", path, allowed) from error
    table = _table(document, "the file", path).get("flags", {})
    return {
        name: _flag(name, _table(given, f"flags.{name}", path), path)
        for name, given in _table(table, "flags", path).items()
    }


def _flag(name: str, given: Mapping[str, Any], path: str) -> Flag:
    place = f"flags.{name}"
    _check_keys(given, _FLAG_KEYS, place, path)
    if "variation" not in given and given.get("enabled", True) is not False:
        raise ConfigurationError(f"{place}.variation", None, "the value when nothing matches", path)
    if not isinstance(given.get("enabled", True), bool):
        raise ConfigurationError(f"{place}.enabled", given["enabled"], "true or false", path)
    if not given.get("enabled", True):
        return Flag(name=name, variation="off")
    targets: dict[str, object] = {}
    for variation, keys in _table(given.get("targets", {}), f"{place}.targets", path).items():
        if not isinstance(keys, list):
            raise ConfigurationError(f"{place}.targets.{variation}", keys, "a list of keys", path)
        targets.update((str(key), variation) for key in cast("list[object]", keys))
    listed = given.get("rules", [])
    if not isinstance(listed, list):
        raise ConfigurationError(f"{place}.rules", listed, "a list of tables", path)
    rules = tuple(
        _rule(_table(one, f"{place}.rules", path), f"{place}.rules[{number}]", path)
        for number, one in enumerate(cast("list[object]", listed))
    )
    needs_key = bool(targets) or any(
        "key" in rule.when or (rule.rollout < 100.0 and not rule.by) for rule in rules
    )
    return Flag(
        name=name,
        variation=given["variation"],
        targets=targets,
        rules=rules,
        needs_key=needs_key,
    )


def _rule(given: Mapping[str, Any], place: str, path: str) -> Rule:
    _check_keys(given, _RULE_KEYS, place, path)
    if "variation" not in given:
        raise ConfigurationError(f"{place}.variation", None, "the value when it matches", path)
    rollout = given.get("rollout", 100)
    if not _is_number(rollout) or not 0 <= rollout <= 100:
        raise ConfigurationError(f"{place}.rollout", rollout, "percent, from 0 to 100", path)
    by = given.get("by", "")
    if not isinstance(by, str):
        raise ConfigurationError(f"{place}.by", by, "the name of an attribute", path)
    when = _table(given.get("when", {}), f"{place}.when", path)
    for name, wanted in when.items():
        if isinstance(wanted, Mapping):
            tests = cast("Mapping[str, Any]", wanted)
            _check_keys(tests, set(_TESTS), f"{place}.when.{name}", path)
            for test, bound in tests.items():
                right = _is_number(bound) if test in ("at_least", "below") else True
                right = isinstance(bound, str) if test.endswith("_with") else right
                if not right:
                    kind = "text" if test.endswith("_with") else "a number"
                    raise ConfigurationError(f"{place}.when.{name}.{test}", bound, kind, path)
    return Rule(variation=given["variation"], when=when, rollout=float(rollout), by=by)


def _table(value: object, place: str, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(place, value, "a table", path)
    return cast("Mapping[str, Any]", value)


def _check_keys(given: Mapping[str, Any], known: set[str], place: str, path: str) -> None:
    for name in given:
        if name not in known:
            allowed = "one of " + ", ".join(sorted(known))
            raise ConfigurationError(f"{place}.{name}", given[name], allowed, path)


def _holds(value: object, wanted: object) -> bool:
    if isinstance(wanted, Mapping):
        tests = cast("Mapping[str, Any]", wanted)
        return all(_TESTS[test](value, bound) for test, bound in tests.items())
    return _is(value, wanted)


def _is(value: object, wanted: object) -> bool:
    if isinstance(wanted, list):
        return any(_is(value, one) for one in cast("list[object]", wanted))
    # What comes from a header is text, whatever the file says.
    return value == wanted or (value is not None and _text(value) == _text(wanted))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
