"""Prices: the table of what clouds ask for, ours or the user's, checked as it is read."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from retrace_core.errors import ConfigurationError

__all__ = ["OURS", "Cloud", "Prices", "read_prices"]

OURS = Path(__file__).with_name("prices.toml")
_NUMBERS = ("storage_per_gb_month", "put_per_1000", "get_per_1000", "egress_per_gb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """What one cloud asks for."""

    key: str
    name: str
    storage_per_gb_month: float
    put_per_1000: float
    get_per_1000: float
    egress_per_gb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A table of prices."""

    date: str
    """When they were noted."""
    currency: str
    assumptions: tuple[str, ...]
    clouds: tuple[Cloud, ...]


def read_prices(file: Path = OURS) -> Prices:
    """Return the prices in a TOML file.

    Raises:
        ConfigurationError: it can't be read, or a price in it is missing or no price.
    """
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError("--prices", str(file), f"a readable TOML file ({why})") from None
    clouds = found.get("clouds")
    if not isinstance(clouds, dict) or not clouds:
        raise ConfigurationError("--prices", str(file), "tables [clouds.NAME]; see retrace plan -h")
    assumptions = found.get("assumptions", [])
    return Prices(
        date=str(found.get("date", "unknown")),
        currency=str(found.get("currency", "USD")),
        assumptions=tuple(map(str, assumptions)) if isinstance(assumptions, list) else (),
        clouds=tuple(
            _cloud(str(key), table, file) for key, table in cast("dict[str, Any]", clouds).items()
        ),
    )


def _cloud(key: str, table: Any, file: Path) -> Cloud:
    if not isinstance(table, dict):
        raise ConfigurationError(f"clouds.{key}", table, "a table of prices", str(file))
    given = cast("dict[str, Any]", table)
    numbers: dict[str, float] = {}
    for name in _NUMBERS:
        value: Any = given.get(name)
        price = float(value) if type(value) in (int, float) else -1.0
        if not (math.isfinite(price) and price >= 0):
            raise ConfigurationError(f"clouds.{key}.{name}", value, "a price, 0 or more", str(file))
        numbers[name] = price
    return Cloud(key=key, name=str(given.get("name", key)), **numbers)
