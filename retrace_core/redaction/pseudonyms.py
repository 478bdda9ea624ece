"""Pseudonyms: what stands for a secret, as long as it is and of the same kinds of characters.

One is keyed: without the key nobody can try out which value it stands for. Equal values get
equal ones, and those that differ only in the case of letters get ones that do so too, so that
what the code compares, lowers and measures comes out the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING

from retrace_core.redaction.numerals import numeral

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pseudonyms", "luhn_valid"]

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")
_HEX_WITHIN = re.compile(
    r"(?<![A-Za-z0-9])(?=[0-9]*[A-Fa-f])(?:[0-9a-f]{16,}|[0-9A-F]{16,})(?![A-Za-z0-9])"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_TWO_BYTES = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
_THREE_BYTES = 0x4E00
_ESCAPED = 0xDC80
_THREE_BYTES_COUNT = 20_000
_KEPT_HEAD, _KEPT_TAIL, _HIDDEN = 6, 4, 5


class Pseudonyms:
    """Makes pseudonyms under one key.

    Args:
        key: secret; whoever has it can try out values.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, text: str) -> str:
        """Return the pseudonym of any text."""
        if _UUID.fullmatch(text):
            return self._uuid(text)
        draw = self._draws(text)
        read = numeral(text, draw) if text[-1:].isdigit() or text[-1:] == "Z" else None
        if read is not None:
            return read
        if _HEX.fullmatch(text):
            made = "".join("%x" % draw(16) for _ in text)  # noqa: UP031
            return made.upper() if text.upper() == text else made
        made = _mixed(text, draw)
        return _canonical(made, text) if _BASE64.fullmatch(text) else made

    def of_card(self, text: str) -> str:
        """Return that of a card number: head and tail stay, and its check digit is right.

        As a receipt may show them, the first six and the last four digits are the same, so that
        the code finds the same network; separators stay where they are.
        """
        digits = [character for character in text if character.isdigit()]
        head = max(0, min(_KEPT_HEAD, len(digits) - _KEPT_TAIL - _HIDDEN))
        middle = range(head, len(digits) - _KEPT_TAIL)
        draw = self._draws("".join(digits))
        was = digits[:]
        while True:
            for place in middle:
                digits[place] = str(draw(10))
            for digit in "0123456789":
                digits[middle[-1]] = digit
                if luhn_valid("".join(digits)) and digits != was:
                    rest = iter(digits)
                    return "".join(next(rest) if c.isdigit() else c for c in text)

    def of_email(self, text: str) -> str:
        """Return that of an e-mail address: its domain stays."""
        local, at, domain = text.rpartition("@")
        return self.of(local) + at + domain

    def _uuid(self, text: str) -> str:
        draw = self._draws(text)
        made = ["%x" % draw(16) if c not in "-" else c for c in text]  # noqa: UP031
        made[14], made[19] = text[14], text[19]  # version and variant
        joined = "".join(made)
        return joined.upper() if text != text.lower() else joined

    def _draws(self, text: str) -> Callable[[int], int]:
        """Return a function that draws numbers below a limit, the same for the same text."""
        seed = text.lower().encode("utf-8", "surrogatepass")
        block, used, counter = b"", 0, 0

        def draw(below: int) -> int:
            nonlocal block, used, counter
            if used + 2 > len(block):
                message = counter.to_bytes(4, "big") + seed
                block, used = hmac.digest(self._key, message, "sha256"), 0
                counter += 1
            used += 2
            return int.from_bytes(block[used - 2 : used], "big") % below

        return draw


def _mixed(text: str, draw: Callable[[int], int]) -> str:
    """Return one of several parts: what is hex in it stays hex."""
    made: list[str] = []
    place = 0
    for run in _HEX_WITHIN.finditer(text):
        made += [_alike(character, draw) for character in text[place : run.start()]]
        drawn = "".join("%x" % draw(16) for _ in run[0])  # noqa: UP031
        made.append(drawn.upper() if run[0].upper() == run[0] else drawn)
        place = run.end()
    return "".join(made) + "".join(_alike(character, draw) for character in text[place:])


def _alike(character: str, draw: Callable[[int], int]) -> str:
    """Return another character of the same kind, as long in UTF-8."""
    if "a" <= character <= "z":
        return chr(97 + draw(26))
    if "A" <= character <= "Z":
        return chr(65 + draw(26))
    if "0" <= character <= "9":
        return chr(48 + draw(10))
    code = ord(character)
    if _ESCAPED <= code < _ESCAPED + 0x80:  # a byte of no text
        return chr(_ESCAPED + draw(0x80))
    if code < 0x80 or not character.isalnum():
        return character
    if code < 0x800:
        return _TWO_BYTES[draw(len(_TWO_BYTES))]
    if code < 0x10000:
        return chr(_THREE_BYTES + draw(_THREE_BYTES_COUNT))
    return character


def _canonical(made: str, text: str) -> str:
    """Return what base64 itself would write for the same bytes, where `text` is that.

    The last of its characters may say less than six bits: decoded and written again, the
    pseudonym must be the same.
    """
    altchars = b"-_" if "-" in text or "_" in text else b"+/"
    bare = text.rstrip("=")
    padding = "=" * (-len(bare) % 4)
    try:
        if _written(base64.b64decode(bare + padding, altchars), altchars, len(text)) != text:
            return made
        return _written(base64.b64decode(made.rstrip("=") + padding, altchars), altchars, len(text))
    except (binascii.Error, ValueError):
        return made


def _written(raw: bytes, altchars: bytes, length: int) -> str:
    return base64.b64encode(raw, altchars).decode()[:length]


def luhn_valid(digits: str) -> bool:
    """Return True when the last of the digits is the check digit of a card number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
