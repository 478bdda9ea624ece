"""Setting: one row of the table of settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["MIB", "Setting"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, as documentation, `retrace config` and validation use it."""

    name: str
    """Keyword argument and TOML key."""
    variable: str
    """Environment variable."""
    kind: type
    """Of its value; tuple: a list of texts, list: a list of tables."""
    default: Any
    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    secret: bool = False
    """Never shown: `retrace config` says only whether it is set."""
