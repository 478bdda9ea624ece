"""JSON rules: the values that the user's paths mean, in texts that have JSON in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrace_core.redaction.json_path import Number, selected
from retrace_core.redaction.json_texts import documents, written
from retrace_core.redaction.numerals import is_small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.redaction.json_path import JsonPath
    from retrace_core.redaction.secret_set import SecretSet

__all__ = ["JsonRules"]

_PLAIN = re.compile(r"[^\"\\/\x00-\x1f]+")
_ESCAPES = tuple(b"\\" + one.encode() for one in '"\\/bfnrtu')
_BEGINS = tuple((one + other).encode() for one in "[{" for other in '"[{-0123456789tfn \t\r\n')
"""One of these stands in every document that has anything in it."""


class JsonRules:
    """Finds what paths mean.

    Args:
        paths: the rules.
    """

    def __init__(self, paths: Sequence[JsonPath]) -> None:
        self._paths = tuple(paths)
        marks = dict.fromkeys(mark for path in paths for mark in _marks(path))
        self.marks: tuple[bytes, ...] = tuple(marks)
        """In lower case; one stands in each text that a rule means something in."""

    def find(self, text: bytes, found: SecretSet) -> None:
        """Add what the rules mean in the documents of a text.

        Raises:
            ValueError: a document is nested too deep.
        """
        for document in documents(text):
            escaped = written(document)
            for path in self._paths:
                for value in selected(document.value, path):
                    if isinstance(value, Number) and is_small(value):
                        continue
                    for raw in escaped.get(value, ()):
                        found.add_escaped(raw, path.text)
                    found.add(_bytes(value), path.text, number=isinstance(value, Number))


def _marks(path: JsonPath) -> tuple[bytes, ...]:
    name = path.last_name
    if name is None:
        return _BEGINS
    plain = f'"{name}"'.encode().lower()
    return (plain, b"\\u") if _PLAIN.fullmatch(name) else (plain, *_ESCAPES)


def _bytes(value: str) -> bytes:
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, by an escape
        return value.encode("utf-8", "surrogatepass")
