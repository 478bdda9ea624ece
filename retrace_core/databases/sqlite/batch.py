"""Batch: the rows that one statement is run for, used up before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["raising", "used_up"]


def used_up(
    rows: Any, made: Callable[[Any], Any] | None = None
) -> tuple[list[Any], Exception | None]:
    """Return what an iterable gives, and the error that it ends with.

    Args:
        rows: the iterable, of the application's.
        made: what is made of each row; None to take it as it is.
    """
    found: list[Any] = []
    try:
        for row in rows:
            found.append(row if made is None else made(row))  # noqa: PERF401  # what came counts
    except Exception as error:  # noqa: BLE001  # raised again, after the rows before it
        return found, error
    return found, None


def raising(error: Exception) -> Iterator[Any]:
    """Raise an error when iterated over."""
    yield from ()
    raise error
