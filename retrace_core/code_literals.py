"""Code literals: which texts stand in source code, and where.

A secret that does (a token of an example, the password of a user that is built in) is gone from
a recording as any other; but whoever has the code has it, and a replay runs that code.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LEAST", "file_of", "literals"]

LEAST, _LEAST_DIGITS = 4, 6
"""A shorter text, or number, may stand somewhere by chance."""
_LITERAL = re.compile(rb"\"([^\"\\\n]{4,128})\"|'([^'\\\n]{4,128})'")
_ADDRESS = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WORD = re.compile(rb"[A-Za-z]+(?:[ _][A-Za-z]+)*")
_ASKS = re.compile(rb"(?i)user|pass|pwd|auth|cred|account|token|secret|key|login|admin|member")
"""What is said near a word that is compared with what somebody gave."""
_COMPARES = re.compile(
    rb"(?i)(?:compare_digest\([^()]{0,80}|(?:pass|pwd|secret|token|key)\w*[\"'\])]*\s*(?:[!=]=|[:=])\s*)"
    rb"[bru]?$"
)
"""Before what somebody has to give: `password == "secret"`, `{"password": "secret"}`."""
_NAMES = re.compile(
    rb"(?i)(?:.*[_ ])?(?:password\d?|passwd|passphrase|secret|token|username|authorization|cookie"
    rb"|session|api.?key)s?"
)
_NEAR = 240
_MOST_BLANKS = 3
"""A text with more is a sentence, and no passphrase."""


def file_of(module: object) -> str:
    """Return the file of a module, "" for none, without asking it: a lazy one would load itself."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:  # something else, that somebody put among the modules
        return ""
    return file if isinstance(file, str) else ""


def literals(source: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each text once, with its number among those of its length.

    Left out are words by themselves where nothing near speaks of users or secrets, and those
    that are names (`form["password"]`), but where something is compared with them: anybody's
    password could be the same word. Addresses of mail are found within texts, too
    (`"Shop <orders@example.com>"`).
    """
    numbers: Counter[int] = Counter()
    seen: set[bytes] = set()
    for match in _LITERAL.finditer(source):
        text = match[1] or match[2]
        if text in seen or text.count(b" ") > _MOST_BLANKS:
            continue
        if text.isdigit():
            if len(text) < _LEAST_DIGITS:
                continue
        elif _WORD.fullmatch(text) and not _is_asked(source, match, text):
            continue
        seen.add(text)
        yield text, numbers[len(text)]
        numbers[len(text)] += 1
    # After all others, whose numbers stay as recordings have them.
    for match in _ADDRESS.finditer(source):
        text = match[0]
        if text not in seen:
            seen.add(text)
            yield text, numbers[len(text)]
            numbers[len(text)] += 1


def _is_asked(source: bytes, match: re.Match[bytes], text: bytes) -> bool:
    before = source[max(match.start() - _NEAR, 0) : match.start()]
    if _COMPARES.search(before):
        return True
    return _ASKS.search(before) is not None and _NAMES.fullmatch(text) is None
