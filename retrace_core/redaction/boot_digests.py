"""Boot digests: what it hashed at start-up, known in all recordings.

A digest that was made of a secret once, the id of a model or a tag of the settings, is said in
request after request, where nothing tells what it is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.redaction.forms import digest_forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BootDigests"]

_MOST = 256
"""So many are looked for, and not many more."""


class BootDigests:
    """Those of one process, which grow with its boot tape."""

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}
        self._forms: tuple[bytes, ...] = ()
        self._owners: list[bytes] = []

    def add(self, digests: Iterable[bytes]) -> None:
        """Add digests of what has a secret in it."""
        for digest in digests:
            if digest not in self._digests and len(self._digests) < _MOST:
                self._digests[digest] = None
                forms = [form for form, _ in digest_forms(digest, digest)]
                self._owners += [digest] * len(forms)
                self._forms += tuple(forms)

    def in_any(self, *texts: bytes) -> Iterator[bytes]:
        """Yield those that stand in one of these texts, in whatever form."""
        if not self._forms:
            return
        for text in texts:
            for _, which in native.find_all(text, self._forms, False, 0):
                yield self._owners[which]
