"""In code: which of the masked secrets are texts of the application's own code.

The recording says which text of which module one is, and never the text itself: a replay, which
has the code, gives it the true one, since the code compares it with what stands there.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from retrace_core.code_literals import file_of, literals
from retrace_core.recording import OfCode

if TYPE_CHECKING:
    from collections.abc import Iterable

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
            pairs: secrets as they may stand there, with their pseudonyms.
            app: "module:attribute"; its package is code of the application wherever it lies.
        """
        self._look(app.partition(":")[0].partition(".")[0])
        found: dict[bytes, OfCode] = {}
        for text, mask in pairs:
            place = self._places.get(text)
            if place is not None:
                found[mask] = OfCode(mask, place[0], len(text), place[1])
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
