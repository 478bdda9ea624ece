"""In code: which of the masked secrets are texts of the application's own code.

The recording says which text of which module one is, and never the text itself: a replay, which
has the code, gives it the true one, since the code compares it with what stands there.
"""

from __future__ import annotations

import base64
import binascii
import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from retrace_core.code_literals import LEAST, file_of, literals
from retrace_core.recording import OfCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["InCode"]

_STDLIB = os.path.dirname(os.__file__)
_MOST_BYTES = 1 << 20
_MOST_FILES = 4_000
_MOST_TEXTS = 50_000
"""Of all files together; so many take some 10 MB."""


class InCode:
    """The texts of the application's modules, which become more as it imports more."""

    def __init__(self) -> None:
        self._places: dict[bytes, tuple[str, int]] = {}
        self._read: set[str] = set()
        self._modules = 0

    def of(self, pairs: Iterable[tuple[bytes, bytes]], app: str) -> list[OfCode]:
        """Return where those stand that do.

        Args:
            pairs: secrets with their pseudonyms.
            app: "module:attribute"; its package is code of the application wherever it lies.
        """
        self._look(app.partition(":")[0].partition(".")[0])
        found: dict[bytes, OfCode] = {}
        for secret, mask in pairs:
            for text, now in _texts(secret, mask):
                place = self._places.get(text)
                if place is not None:
                    found[now] = OfCode(now, place[0], len(text), place[1])
        return list(found.values())

    def _look(self, package: str) -> None:
        if len(sys.modules) == self._modules:
            return
        self._modules = len(sys.modules)
        for name, module in sys.modules.copy().items():
            file = file_of(module)
            if file in self._read or len(self._read) >= _MOST_FILES:
                continue
            if file.endswith(".py") and _is_own(name, file, package):
                self._read.add(file)
                stem = os.path.basename(file)[:-3]
                self._add(file, stem if name == "__main__" else name)

    def _add(self, file: str, name: str) -> None:
        try:
            with open(file, "rb") as source:
                text = source.read(_MOST_BYTES)
        except OSError:
            return
        for literal, number in literals(text):
            if len(self._places) >= _MOST_TEXTS:
                return
            self._places.setdefault(literal, (name, number))


def _is_own(name: str, file: str, package: str) -> bool:
    if package and name.partition(".")[0] == package:
        return True
    return "-packages" + os.sep not in file and not file.startswith(_STDLIB)


def _texts(secret: bytes, mask: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield what was masked, as it may stand in code, with its pseudonym as it is written."""
    yield secret, mask
    if b"%" in secret or b"+" in secret:
        yield unquote_to_bytes(secret), mask
        yield unquote_to_bytes(secret.replace(b"+", b" ")), mask
    yield from _credentials(secret, mask)


def _credentials(secret: bytes, mask: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the password in what stands behind `Basic` (RFC 7617), and its pseudonym."""
    if len(secret) < LEAST + 2 or len(secret) % 4:
        return
    try:
        was, now = (base64.b64decode(one, validate=True) for one in (secret, mask))
    except binascii.Error:
        return
    user, colon, password = was.partition(b":")
    if colon and len(was) == len(now):
        yield password, now[len(user) + 1 :]
        yield user, now[: len(user)]
