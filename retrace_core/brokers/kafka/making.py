"""Making: a client in Python whose `__init__` connects is not made on replay."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt, in_replay, mask
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["forgotten", "not_made_on_replay"]


def not_made_on_replay(
    kind: str, stand_in: Callable[..., None]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what hooks `__init__`; a failure of it is an event.

    Args:
        kind: of that event.
        stand_in: gets what `__init__` gets; does what is done on replay in its place.
    """

    def hook(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
            lane = current()
            live = functools.partial(original, self, *args, **options)

            def unmade() -> None:
                self._retrace_unmade = True
                with mask():
                    stand_in(self, *args, **options)

            if lane is not None:
                attempt(lane, kind, None, live, unmade)
            elif in_replay():
                unmade()
            else:
                live()

        return __init__

    return hook


def forgotten(original: Callable[..., None]) -> Callable[..., None]:
    """Hook `__del__`: it is called at no particular time, and closes what has been made."""

    @functools.wraps(original)
    def __del__(self: Any) -> None:
        if not getattr(self, "_retrace_unmade", False):
            with mask():
                original(self)

    return __del__
