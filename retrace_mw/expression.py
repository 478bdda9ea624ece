"""Expression: a decider written as text, `any_of(TraceHeader(), SampleRate(0.1))`.

Nothing of it is run as code: it is taken apart, and only the names below may be called, with
plain values, or with deciders, as arguments. What a decider is not given it takes from the
settings: `SampleRate()` samples at `sample_rate`, `Rules()` has the tables of `rules`.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_core.settings import Settings
    from retrace_mw.decision import Decider

__all__ = ["NAMES", "Parsed", "parse"]

NAMES: Mapping[str, str] = {
    "Always": "retrace_mw.deciders.constant:Always",
    "FileFlag": "retrace_mw.deciders.flag_file:FileFlag",
    "ForceToken": "retrace_mw.deciders.force:ForceToken",
    "KeepIfFailed": "retrace_mw.deciders.tail:KeepIfFailed",
    "KeepIfNew": "retrace_mw.deciders.tail_new:KeepIfNew",
    "KeepIfSlower": "retrace_mw.deciders.tail:KeepIfSlower",
    "KeepIfSlowest": "retrace_mw.deciders.tail_slowest:KeepIfSlowest",
    "Late": "retrace_mw.late:Late",
    "LaunchDarklyFlag": "retrace_mw.deciders.launchdarkly:LaunchDarklyFlag",
    "Never": "retrace_mw.deciders.constant:Never",
    "OpenFeatureFlag": "retrace_mw.deciders.openfeature:OpenFeatureFlag",
    "Rules": "retrace_mw.deciders.rules:Rules",
    "SampleRate": "retrace_mw.deciders.sampling:SampleRate",
    "TraceHeader": "retrace_mw.deciders.header:TraceHeader",
    "UpstreamDecision": "retrace_mw.deciders.upstream:UpstreamDecision",
    "all_of": "retrace_mw.decision:all_of",
    "any_of": "retrace_mw.decision:any_of",
    "first_of": "retrace_mw.decision:first_of",
}
"""What may be called -> where it is; imported when it is."""

FROM_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "ForceToken": {
        "secret": "force_secret",
        "service": "service",
        "per_s": "force_token_per_s",
        "unsigned_per_s": "unsigned_force_per_s",
    },
    "Rules": {"rules": "rules"},
    "SampleRate": {"rate": "sample_rate"},
    "TraceHeader": {"per_s": "trace_header_per_s"},
}
"""Parameter that is not given -> the setting it is taken from."""

_COMPOSITIONS = ("all_of", "any_of", "first_of")
_CODE_ONLY = ("clock",)
_LONGEST = 20_000


@dataclass(slots=True)
class _Parser:
    text: str
    settings: Settings
    origin: str
    used: set[str] = field(default_factory=lambda: set())

    def wrong(self, node: ast.AST | None, allowed: str) -> ConfigurationError:
        """Return an error that says where in the text, and what is allowed."""
        given: object = self.text
        if isinstance(node, ast.expr):
            line = self.text.splitlines()[node.lineno - 1].encode()
            column = len(line[: node.col_offset].decode("utf-8", "replace")) + 1
            given = ast.get_source_segment(self.text, node) or self.text
            place = f"line {node.lineno}, " if "\n" in self.text.strip() else ""
            allowed = f"{allowed} ({place}column {column})"
        return ConfigurationError("decide", given, allowed, self.origin)

    def decider(self, node: ast.expr) -> Any:
        """Return what a call of a known name makes."""
        if isinstance(node, ast.Name) and node.id in NAMES:
            raise self.wrong(node, f"{node.id}(), with parentheses")
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            raise self.wrong(node, "a decider, as in any_of(TraceHeader(), SampleRate(0.1))")
        name = node.func.id
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1)
            known = f"one of {', '.join(NAMES)}; others can be given in code"
            raise self.wrong(node.func, near[0] if near else known)
        args = [self.argument(one) for one in node.args]
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in _CODE_ONLY or keyword.arg in kwargs:
                raise self.wrong(keyword.value, "each argument once, by its name")
            kwargs[keyword.arg] = self.argument(keyword.value)
        if name in _COMPOSITIONS and (not args or not all(map(callable, args))):
            raise self.wrong(node, f"deciders inside of {name}(...), at least one")
        return self.made(node, name, args, kwargs)

    def argument(self, node: ast.expr) -> Any:
        """Return the value of an argument: a decider, or what is written out."""
        if isinstance(node, ast.Call | ast.Name):
            return self.decider(node)
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise self.wrong(node, "a number, a text, a list or a table, written out") from None

    def made(self, node: ast.Call, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Return what the name makes of the arguments and the settings."""
        module, _, attribute = NAMES[name].partition(":")
        try:
            factory: Any = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise self.wrong(node, f"what is installed: {name} needs more ({error})") from None
        try:
            given = inspect.signature(factory).bind_partial(*args, **kwargs).arguments
            for parameter, setting in FROM_SETTINGS.get(name, {}).items():
                if parameter not in given:
                    kwargs[parameter] = getattr(self.settings, setting)
                    self.used.add(setting)
            if name == "Rules" and not args and not kwargs["rules"]:
                raise self.wrong(node, "Rules() with [[retrace.rules]] in the settings")
            made = factory(*args, **kwargs)
            repr(made)  # what can't be shown can't be used either
        except ConfigurationError as error:
            if error.setting == "decide" or error.origin:  # it says where it is, as a file does
                raise
            column = node.col_offset + 1
            where = f"{error.allowed} (in decide, {name} at column {column})"
            raise ConfigurationError(error.setting, error.value, where, self.origin) from None
        except Exception as error:
            takes = f"{name}{inspect.signature(factory)}".partition(" -> ")[0]
            raise self.wrong(node, f"{takes}: {type(error).__name__}: {error}") from None
        return made


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text describes."""

    decider: Decider
    used: frozenset[str]
    """The settings that it takes values from."""


def parse(text: str, settings: Settings) -> Parsed:
    """Return the decider that a text describes.

    Args:
        text: an expression of the names above.
        settings: for what it leaves open.

    Raises:
        ConfigurationError: it describes none; with the place in the text, and what is allowed.
    """
    parser = _Parser(text, settings, settings.origin("decide"))
    if len(text) > _LONGEST:
        raise parser.wrong(None, f"at most {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        place = f" ({error.msg}, column {error.offset})"
        allowed = f"an expression like any_of(TraceHeader(), SampleRate(0.1)){place}"
        raise parser.wrong(None, allowed) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise parser.wrong(None, f"an expression that can be read ({error})") from None
    parser.text = text.strip()
    try:
        return Parsed(parser.decider(tree.body), frozenset(parser.used))
    except RecursionError:
        raise parser.wrong(None, "an expression that is not so deep") from None
