"""Policy: how long recordings are kept, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.setting_rows.amount import parse_size, parse_span, span_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retrace_core.settings import Settings

__all__ = ["FOREVER", "Policy", "TagRule", "policy_of"]

FOREVER = 1 << 62
"""An age in nanoseconds that no recording reaches."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """How long recordings with a tag are kept, whatever else is said."""

    name: str
    value: str
    """"*" for any."""
    age_ns: int

    def __str__(self) -> str:
        age = "forever" if self.age_ns >= FOREVER else span_words(self.age_ns)
        return f"{self.name}={self.value}:{age}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept; 0 stands for no limit. Ages count from when a recording was kept."""

    age_ns: int = 0
    failures_age_ns: int = 0
    """Of recordings with an exception, or a status of 500 and above; 0: as all others."""
    tag_rules: tuple[TagRule, ...] = ()
    bytes: int = 0
    """Of all recordings together."""
    per_route: int = 0
    """The newest of each route that stay; failures and those with a tag rule are not counted."""
    failures_per_route: int = 0

    def __bool__(self) -> bool:
        """Whether anything would ever go."""
        return self != Policy()

    @property
    def longest_ns(self) -> int:
        """The longest of the ages; 0 where recordings without a tag rule have no age limit."""
        if not self.age_ns:
            return 0
        ages = (self.age_ns, self.failures_age_ns, *(rule.age_ns for rule in self.tag_rules))
        return max(ages)

    def age_of(self, tags: Mapping[str, str], *, failed: bool) -> int:
        """Return how old a recording may become, in nanoseconds; 0: any age."""
        ruled = self.rules_of(tags)
        if ruled:
            return max(rule.age_ns for rule in ruled)
        return (self.failures_age_ns if failed else 0) or self.age_ns

    def rules_of(self, tags: Mapping[str, str]) -> list[TagRule]:
        """Return the tag rules that a recording falls under."""
        return [
            rule
            for rule in self.tag_rules
            if rule.name in tags and rule.value in ("*", tags[rule.name])
        ]


def policy_of(
    settings: Settings,
    *,
    age: str = "",
    failures_age: str = "",
    tags: Iterable[str] = (),
    size: str = "",
    per_route: int | None = None,
    failures_per_route: int | None = None,
) -> Policy:
    """Return the policy of settings and options; an option takes the place of its setting.

    Raises:
        ConfigurationError: an age, a size or a tag rule is wrong.
    """
    return Policy(
        age_ns=_age("retention_age", age or settings.retention_age),
        failures_age_ns=_age(
            "retention_failures_age", failures_age or settings.retention_failures_age
        ),
        tag_rules=tuple(map(_tag_rule, tuple(tags) or settings.retention_tags)),
        bytes=_size(size or settings.retention_bytes),
        per_route=settings.retention_per_route if per_route is None else per_route,
        failures_per_route=settings.retention_failures_per_route
        if failures_per_route is None
        else failures_per_route,
    )


def _age(setting: str, text: str) -> int:
    if not text:
        return 0
    found = parse_span(text)
    if not found:
        raise ConfigurationError(setting, text, "an age like 12h, 30d or 26w")
    return found


def _size(text: str) -> int:
    if not text:
        return 0
    found = parse_size(text)
    if not found:
        raise ConfigurationError("retention_bytes", text, "a size like 500MB, 50GB or 1TiB")
    return found


def _tag_rule(text: str) -> TagRule:
    pair, colon, age = text.rpartition(":")
    name, equals, value = pair.partition("=")
    age_ns = FOREVER if age == "forever" else parse_span(age)
    if not (colon and equals and name and value and age_ns):
        allowed = "NAME=VALUE:AGE, as in tenant=acme:365d, debug=*:1d or case=7:forever"
        raise ConfigurationError("retention_tags", text, allowed)
    return TagRule(name, value, age_ns)
