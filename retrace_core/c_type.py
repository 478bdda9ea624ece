"""C type: an attribute of a class that is written in C is replaced, as one of any other class.

Such a class refuses it by a flag of its own, which is taken off for that moment. So a hook is in
place for objects that were made before, for classes derived from it, and under whatever name the
application has imported it. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

from typing import Final

__all__ = ["delete_attribute", "set_attribute"]

_IMMUTABLE: Final = 1 << 8
_POINTERS_BEFORE_FLAGS: Final = 21
"""Fields of `PyTypeObject` before `tp_flags`, each as large as a pointer."""


def set_attribute(owner: object, name: str, value: object) -> None:
    """Set an attribute of a module, or of a class of any kind.

    Raises:
        TypeError: the class is in C, and not laid out as we know it in this interpreter.
    """
    if not _is_immutable(owner):
        setattr(owner, name, value)
        return
    with _Mutable(owner):
        setattr(owner, name, value)


def delete_attribute(owner: object, name: str) -> None:
    """Delete an attribute that `set_attribute` has added.

    Raises:
        TypeError: as there.
    """
    if not _is_immutable(owner):
        delattr(owner, name)
        return
    with _Mutable(owner):
        delattr(owner, name)


def _is_immutable(owner: object) -> bool:
    return isinstance(owner, type) and bool(owner.__flags__ & _IMMUTABLE)


class _Mutable:
    """Takes the flag off while the block runs."""

    def __init__(self, owner: object) -> None:
        import ctypes  # for those alone that need it

        place = id(owner) + _POINTERS_BEFORE_FLAGS * ctypes.sizeof(ctypes.c_void_p)
        self._flags = ctypes.c_ulong.from_address(place)
        if self._flags.value != getattr(owner, "__flags__", None):
            raise TypeError(f"{owner!r} is not laid out as in the interpreters that are known")

    def __enter__(self) -> None:
        self._flags.value &= ~_IMMUTABLE

    def __exit__(self, *_: object) -> None:
        self._flags.value |= _IMMUTABLE
