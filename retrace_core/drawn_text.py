"""Drawn text: what is drawn character by character, each by a byte of its own.

Of one byte the first bits are the place in an alphabet, and are drawn once more where they are
too many.
Source: `random.SystemRandom.getrandbits` and `random.Random._randbelow`, read in CPython 3.13.
"""

from __future__ import annotations

import string

__all__ = ["ALPHABETS", "drawn_text"]

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALPHABETS = tuple(
    alphabet.encode()
    for alphabet in (
        _LOWER + _UPPER + _DIGITS,  # Django's, Werkzeug's, oauthlib's
        string.ascii_letters,
        _UPPER + "234567",  # base32, as pyotp has it
        _UPPER + _DIGITS,
        _LOWER + _DIGITS,
        _DIGITS + string.ascii_letters,
        _DIGITS + _UPPER,
        _DIGITS + _LOWER,
        _LOWER,
        _UPPER,
        _DIGITS,
        "0123456789abcdef",
        string.ascii_letters + _DIGITS + string.punctuation,
        string.ascii_letters + _DIGITS + "-_",
    )
)
"""Those that tokens and passwords are drawn from."""


def drawn_text(drawn: bytes, alphabet: bytes) -> tuple[bytes, list[int]]:
    """Return the text that bytes were drawn for, and of each character the number of its byte.

    Args:
        drawn: the bytes, of a call each.
        alphabet: what it was drawn from.
    """
    shift = 8 - len(alphabet).bit_length()
    numbers = [number for number, byte in enumerate(drawn) if byte >> shift < len(alphabet)]
    return bytes([alphabet[drawn[number] >> shift] for number in numbers]), numbers
