"""Failsafe: the one broad `except` of the project; a fault of ours never reaches the app."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from retrace_core.stats import count

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["gate", "let_through", "report"]

strict = False
"""Set by the test suite: faults are raised, so that none goes unseen."""

_logger = logging.getLogger("retrace")
_seen: set[tuple[str, str]] = set()
_not_ours: tuple[type[Exception], ...] = ()


def let_through(kind: type[Exception]) -> None:
    """Never take an exception of a class for a fault of ours.

    Args:
        kind: what a time limit raises, from a signal's handler, at whatever line is running.
    """
    global _not_ours
    if kind not in _not_ours:
        _not_ours = (*_not_ours, kind)


class gate:  # noqa: N801  # used as a function
    """Swallow and report what goes wrong inside: `with gate("write"): ...`.

    Args:
        stage: what we were about, in a word or two; counted as "faults.<stage>".
    """

    __slots__ = ("_stage",)

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            return False
        if not isinstance(error, Exception) or isinstance(error, _not_ours):
            return False
        report(self._stage, error)
        return True


def report(stage: str, error: Exception) -> None:
    """Count a fault of ours, and log the first of its kind.

    Args:
        stage: what we were about.
        error: what went wrong.

    Raises:
        Exception: `error` itself, in the test suite only, or where it was to be let through.
    """
    if isinstance(error, _not_ours):
        raise error
    count(f"faults.{stage}")
    if strict:
        raise error
    kind = (stage, type(error).__name__)
    if kind not in _seen:
        _seen.add(kind)
        try:
            _logger.warning(
                "retrace: %s failed (%s: %s); the application is not affected, further ones are"
                " counted only",
                stage,
                type(error).__name__,
                error,
                exc_info=error,
            )
        except Exception:  # a filter of the user's that raises: logging lets that through
            count("faults.log")
