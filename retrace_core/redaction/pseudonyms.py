"""Pseudonyms: what stands for a secret, as long as it is and of the same kinds of characters.

One is keyed: without the key nobody can try out which value it stands for. Equal values get
equal ones, and those that differ only in the case of letters get ones that do so too, so that
what the code compares, lowers and measures comes out the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import itertools
import re
import string
import struct
from typing import TYPE_CHECKING

from retrace_core.crypto.private_key import public_half
from retrace_core.redaction.base64_text import BASE64, altchars_of
from retrace_core.redaction.numerals import numeral

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Pseudonyms", "luhn_valid"]

_RANDOM_UUID = re.compile(r"[0-9a-fA-F]{12}4[0-9a-fA-F]{3}[89abAB][0-9a-fA-F]{15}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")
_HEX_WITHIN = re.compile(
    r"(?<![A-Za-z0-9])(?=[0-9]*[A-Fa-f])(?:[0-9a-f]{16,}|[0-9A-F]{16,})(?![A-Za-z0-9])"
)
_BASE32 = re.compile(r"(?=(?:.{8}){2,}\Z)[A-Za-z2-7]+={0,6}")
"""As keys of one-time passwords are written: it has no 0, 1, 8 and 9."""
_BASE32_DIGITS = "234567"
_FERNET = re.compile(r"gAAAAA[A-Za-z0-9_-]{86,}={0,2}")
"""A token of Fernet: a version, 64 bits of Unix time, and what is no longer plain."""
_FERNET_TIME = 12
"""How many of its characters the first two are."""
_LEAST_KEY = 100
_KEY_BEGINS = "M"
"""A sequence of DER in base64: so a private key in PEM begins, within its label."""
_TWO_BYTES = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
_THREE_BYTES = 0x4E00
_ESCAPED = 0xDC80
_THREE_BYTES_COUNT = 20_000
_BLOCK, _NUMBERS = struct.Struct(">16H"), 16
"""The numbers of one digest, and how many they are."""
_HEX_DIGITS = b"0123456789abcdef" * 16
_KINDS = {
    character: kind
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    for character in kind
}
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
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
        if text.isdecimal():  # with noughts before it: hex digits would be no number
            return "".join([_alike(character, draw) for character in text])
        if _HEX.fullmatch(text):
            return self._hex(text)
        if _BASE32.fullmatch(text):
            kinds = {**_KINDS, **dict.fromkeys(_BASE32_DIGITS, _BASE32_DIGITS)}
            return "".join([kinds[c][draw(len(kinds[c]))] if c != "=" else c for c in text])
        made = _mixed(text, draw)
        if _FERNET.fullmatch(text):  # when it was made anybody can read, and so the code does
            made = text[:_FERNET_TIME] + made[_FERNET_TIME:]
        if len(text) > _LEAST_KEY and text.lstrip()[:1] == _KEY_BEGINS:
            made = _of_same_public_key(made, text)
        return _canonical(made, text) if BASE64.fullmatch(text) else made

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
        following = self._numbers(text).__next__
        return lambda below: following() % below

    def _numbers(self, text: str) -> Iterator[int]:
        for block in self._blocks(text):
            yield from _BLOCK.unpack(block)

    def _blocks(self, text: str) -> Iterator[bytes]:
        seed = text.lower().encode("utf-8", "surrogatepass")
        for counter in itertools.count():
            yield hmac.digest(self._key, counter.to_bytes(4, "big") + seed, "sha256")

    def _hex(self, text: str) -> str:
        """Return as many digits as draws of 16 would make; a number's last byte says which."""
        count = -(-len(text) // _NUMBERS)
        drawn = b"".join(itertools.islice(self._blocks(text), count))[1::2]
        digits = drawn[: len(text)].translate(_HEX_DIGITS).decode()
        if _RANDOM_UUID.fullmatch(text):  # a draw for it has its version and variant put into it
            digits = digits[:12] + text[12] + digits[13:16] + text[16] + digits[17:]
        return digits.upper() if text.upper() == text else digits


def _mixed(text: str, draw: Callable[[int], int]) -> str:
    """Return one of several parts: what is hex in it stays hex."""
    made: list[str] = []
    place = 0
    for run in _HEX_WITHIN.finditer(text):
        made += [_alike(character, draw) for character in text[place : run.start()]]
        drawn = "".join(["%x" % draw(16) for _ in run[0]])  # noqa: UP031
        made.append(drawn.upper() if run[0].upper() == run[0] else drawn)
        place = run.end()
    made += [_alike(character, draw) for character in text[place:]]
    return "".join(made)


def _alike(character: str, draw: Callable[[int], int]) -> str:
    """Return another character of the same kind, as long in UTF-8."""
    kind = _KINDS.get(character)
    if kind is not None:
        return kind[draw(len(kind))]
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
    altchars = altchars_of(text)
    bare = text.rstrip("=")
    padding = "=" * (-len(bare) % 4)
    try:
        if _written(base64.b64decode(bare + padding, altchars), altchars, len(text)) != text:
            return made
        return _written(base64.b64decode(made.rstrip("=") + padding, altchars), altchars, len(text))
    except (binascii.Error, ValueError):
        return made


def _of_same_public_key(made: str, text: str) -> str:
    """Return a pseudonym with the public half of the private key that a text is, if it is one.

    That is no secret: a service tells it everybody, and names its key by a digest of it.
    """
    try:
        was, now = base64.b64decode(text), base64.b64decode(made)
    except (binascii.Error, ValueError):
        return made
    half = public_half(was)
    if half is None or len(was) != len(now):
        return made
    both = was[: half.begin] + now[half.begin : half.end] + was[half.end :]
    written = iter(base64.b64encode(both).decode())
    return "".join([one if one.isspace() else next(written) for one in text])


def _written(raw: bytes, altchars: bytes, length: int) -> str:
    return base64.b64encode(raw, altchars).decode()[:length]


def luhn_valid(digits: str) -> bool:
    """Return True when the last of the digits is the check digit of a card number."""
    written = digits.encode()
    plain, doubled = written[::-2], written[-2::-2].translate(_DOUBLED)
    return (sum(plain) - 48 * len(plain) + sum(doubled)) % 10 == 0
