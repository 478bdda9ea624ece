"""Scope keys: which keys a server gave in ASGI's scope, and in which order.

An application that writes the scope down, to run a request later, writes it in that order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["in_order", "letters_of"]

_NAMES = (
    "type asgi http_version server client scheme method root_path path raw_path query_string"
    " headers state extensions subprotocols"
).split()
_LETTERS = {name: chr(ord("a") + place) for place, name in enumerate(_NAMES)}
_KEYS = {letter: name for name, letter in _LETTERS.items()}


def letters_of(scope: Iterable[str]) -> str:
    """Return a scope's keys in their order, a letter for each; those of no server are left out."""
    return "".join([_LETTERS[name] for name in scope if name in _LETTERS])


def in_order(scope: Mapping[str, Any], letters: str) -> dict[str, Any]:
    """Return a scope with the keys that the letters tell, in their order.

    Args:
        scope: with all keys that a server may give.
        letters: what `letters_of` returned; "" where that was not recorded: it stays as it is.
    """
    if not letters:
        return dict(scope)
    names = (_KEYS.get(letter, "") for letter in letters)
    return {name: scope[name] for name in names if name in scope}
