"""Statuses: which response statuses a number, a class ("5xx") or a range ("500-504") means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["status_codes"]


def status_codes(given: Any, setting: str = "statuses") -> Iterable[int]:
    """Return the statuses that one entry means.

    Args:
        given: a status like 502, a class like "5xx", or a range like "500-504".
        setting: what to name in the error.

    Raises:
        ConfigurationError: it is none of them.
    """
    if isinstance(given, int) and not isinstance(given, bool) and 100 <= given <= 599:
        return (given,)
    if isinstance(given, str):
        if len(given) == 3 and given[0] in "12345" and given[1:].lower() == "xx":
            return range(int(given[0]) * 100, int(given[0]) * 100 + 100)
        low, _, high = given.partition("-")
        if low.isdecimal() and (high or low).isdecimal():
            first, last = int(low), int(high or low)
            if 100 <= first <= last <= 599:
                return range(first, last + 1)
    raise ConfigurationError(setting, given, 'a status like 502, "5xx" or "500-504"')
