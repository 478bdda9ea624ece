"""Open of now: for modules of the standard library that took hold of `open` as they were imported.

They would pass a boundary by that is put in later.
"""

from __future__ import annotations

import builtins
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["open_of_now"]


def open_of_now(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what opens a file by the `open` that is there when it is called."""

    @functools.wraps(original)
    def opening(*args: Any, **options: Any) -> Any:
        return builtins.open(*args, **options)

    return opening
