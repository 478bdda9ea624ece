"""The settings of the decision: which decider, its rules, what is excluded, forcing by token."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from retrace_core.errors import ConfigurationError
from retrace_core.setting_rows.secret_settings import SecretSettings
from retrace_core.setting_rows.setting import Setting

__all__ = [
    "DECISION_SETTINGS",
    "HEALTH",
    "DecisionSettings",
    "check_secret",
    "parse_tables",
    "parse_texts",
]

HEALTH = (
    "/health",
    "/health/*",
    "/healthz",
    "/live",
    "/livez",
    "/ready",
    "/readyz",
    "/ping",
)
"""Where a service is asked whether it is well."""
EXCLUDE = (*HEALTH, "/metrics", "/favicon.ico", "/robots.txt", "/static/*")
SECRET_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings(SecretSettings):
    """Which requests are recorded."""

    decide: str = ""
    rules: tuple[Mapping[str, Any], ...] = ()
    exclude: tuple[str, ...] = EXCLUDE
    force_secret: str = field(default="", repr=False)
    force_token_per_s: float = 50.0
    unsigned_force_per_s: float = 0.0


DECISION_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="decide",
        variable="RETRACE_DECIDE",
        kind=str,
        default="",
        doc="The decider, as in code: `any_of(TraceHeader(), SampleRate(0.1), KeepIfFailed())`;"
        " by default made from the settings.",
    ),
    Setting(
        name="rules",
        variable="RETRACE_RULES",
        kind=list,
        default=(),
        doc="Which requests to record, `[[retrace.rules]]`; the first that matches counts. In the"
        ' environment a TOML array: `[{path = "/pay", status = "5xx"}]`.',
    ),
    Setting(
        name="exclude",
        variable="RETRACE_EXCLUDE",
        kind=tuple,
        default=EXCLUDE,
        doc="Paths that are never recorded but with a force token; `*` stands for any text. A"
        " list, in the environment separated by commas; empty for none. By default the first"
        " health check of each process is decided like others all the same.",
    ),
    Setting(
        name="force_secret",
        variable="RETRACE_FORCE_SECRET",
        kind=str,
        default="",
        secret=True,
        doc="What force tokens are signed with, 32 characters or more; several, separated by"
        " commas, are all accepted, and the first one signs.",
    ),
    Setting(
        name="force_token_per_s",
        variable="RETRACE_FORCE_TOKEN_PER_S",
        kind=float,
        default=50.0,
        unit="requests per second",
        low=0.0,
        high=1e6,
        doc="How many requests valid force tokens may have recorded.",
    ),
    Setting(
        name="unsigned_force_per_s",
        variable="RETRACE_UNSIGNED_FORCE_PER_S",
        kind=float,
        default=0.0,
        unit="requests per second",
        low=0.0,
        high=1e6,
        doc="How many requests an unsigned `X-Retrace-Force: 1` may have recorded; 0 for none.",
    ),
)


def parse_texts(raw: Any, shown: str, origin: str) -> tuple[str, ...]:
    """Return a list of texts, as a list or as text separated by commas.

    Raises:
        ConfigurationError: it is neither.
    """
    if isinstance(raw, str):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if not isinstance(raw, list | tuple) or not all(isinstance(one, str) for one in raw):
        raise ConfigurationError(shown, raw, "a list of texts", origin)
    return tuple(cast("list[str]", raw))


def parse_tables(raw: Any, shown: str, origin: str) -> tuple[Mapping[str, Any], ...]:
    """Return a list of tables, as a list or as the text of a TOML array.

    Raises:
        ConfigurationError: it is neither.
    """
    found: Any = raw
    allowed = 'a list of tables, as in [{path = "/pay", status = "5xx"}]'
    if isinstance(raw, str):
        try:
            document = tomllib.loads(f"list = {raw}" if raw.strip() else "list = []")
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigurationError(shown, raw, f"{allowed} ({error})", origin) from None
        found = document["list"] if set(document) == {"list"} else None
    if not isinstance(found, list | tuple):
        raise ConfigurationError(shown, raw, allowed, origin)
    for table in cast("list[Any]", found):
        if not isinstance(table, Mapping) or not _is_plain(table):
            raise ConfigurationError(shown, table, allowed, origin)
    return tuple(cast("list[Mapping[str, Any]]", found))


def _is_plain(value: Any) -> bool:
    """Return True for what JSON can say too: no dates, no endless numbers."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def check_secret(value: str, shown: str, origin: str) -> None:
    """Check the secrets that sign force tokens; an error does not show them.

    Raises:
        ConfigurationError: one of them is too short.
    """
    if value and any(len(one.strip()) < SECRET_LENGTH for one in value.split(",")):
        allowed = f"secrets of {SECRET_LENGTH} characters or more (openssl rand -hex 32)"
        raise ConfigurationError(shown, "(hidden)", allowed, origin)
