"""Checking: what a library says of a secret is recorded, though it asks nobody outside.

Where a recording is masked, its replay gets pseudonyms: a password of which the hash in the
database is not the hash. So hashes, signatures and comparisons come from the recording, matched
by what they are of, in no order; what was not recorded is reckoned as ever.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Patch, call_free
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SECRET", "checks", "compares_checksum", "of_size", "secret", "takes_part"]

SECRET = "secret"
"""By this name what stands in an event is masked."""

_AGAIN = "again"
_LARGEST = 64 * 1024


def of_size(data: Any) -> bytes:
    """Return what is checked as it stands in an event: if it is large, a digest of it."""
    given = bytes(data)
    return given if len(given) <= _LARGEST else hashlib.sha256(given).digest()


def secret(given: object) -> object:
    """Return a password as it stands in an event: masked as a whole, a pepper before it, too."""
    return {SECRET: given}


def takes_part(lane: Any) -> bool:
    """Return True on replay, and where a recording is to be masked.

    On replay also where nothing is masked in this very recording: the key may be elsewhere.
    """
    return lane.mode == REPLAY or bool(getattr(lane.scope, "masks", None))


def checks(
    owner: Any,
    name: str,
    kind: str,
    key: Callable[..., object],
    *,
    makes_secret: bool = False,
    gives_again: int | None = None,
) -> Patch:
    """Return the hook of a function of which the outcome depends on its arguments alone.

    Args:
        owner: the class or module that holds it.
        name: of the function.
        kind: what its events are called, after "free.".
        key: gets the arguments of a call; returns what was asked, without keys that sign.
        makes_secret: its outcome is masked wherever it stands.
        gives_again: place of the argument that the outcome equals if the secret is right, so that
            a hash which is a constant of the code (passlib tries each backend by one) is itself.
    """
    encode, decode = (_hidden, _shown) if makes_secret else (None, None)

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def checked(*args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None:
                return original(*args, **kwargs)
            live = functools.partial(original, *args, **kwargs)
            asked = key(*args, **kwargs)
            if gives_again is None or len(args) <= gives_again:
                return call_free(lane, f"free.{kind}", asked, live, encode, decode)
            given = args[gives_again]

            def hidden(outcome: object) -> object:
                return {SECRET: outcome, _AGAIN: True} if outcome == given else {SECRET: outcome}

            def shown(recorded: Any) -> Any:
                again = isinstance(recorded, dict) and recorded.get(_AGAIN)
                return given if again else _shown(recorded)

            return call_free(lane, f"free.{kind}", asked, live, hidden, shown)

        return checked

    return Patch(owner, name, factory)


def compares_checksum(owner: Any, name: str, said: Callable[..., object]) -> Patch:
    """Return the hook of a function that compares a checksum of a body with what its sender says.

    What came out is recorded: the body may be masked, and what was said is of the true one.

    Args:
        owner: the class or module that holds it.
        name: of the function.
        said: gets the arguments of a call; returns what the sender says, None where that is
            nothing.
    """

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def compared(*args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None or not takes_part(lane) or (sum_ := said(*args, **kwargs)) is None:
                return original(*args, **kwargs)
            live = functools.partial(original, *args, **kwargs)
            return call_free(lane, "free.checksum", sum_, live)

        return compared

    return Patch(owner, name, factory)


def _hidden(outcome: object) -> object:
    """Return what is recorded of an outcome: by its name it is masked."""
    return {SECRET: outcome}


def _shown(recorded: Any) -> Any:
    """Return the outcome; the hashes of bcrypt stood by themselves before 2026-11-29."""
    return recorded[SECRET] if isinstance(recorded, dict) else recorded
