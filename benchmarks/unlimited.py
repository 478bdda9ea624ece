"""What switches every limit off, so that a measurement records all that it means to."""

from __future__ import annotations

from retrace_core.setting_rows.limit_settings import LIMIT_SETTINGS

__all__ = ["UNLIMITED"]

UNLIMITED = {setting.variable: "0" for setting in LIMIT_SETTINGS}
"""Environment variables and their values."""
