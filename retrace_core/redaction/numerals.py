"""Numerals: pseudonyms of numbers and dates, which can be read as such again.

A number keeps its sign, its digits' count, its decimal point, its exponent and how many bytes it
takes; a date is a day that there is, a time one of a clock, and their zone stays.
"""

from __future__ import annotations

import datetime
import re
import struct
from typing import TYPE_CHECKING, cast

from retrace_core.redaction.messagepack import integer_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Draw = Callable[[int], int]
    """Draws a number below a limit."""

__all__ = ["binary_alike", "is_numeral", "is_small", "numeral", "packed_alike", "spelled"]

_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?([eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:([ T])([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BITS = (7, 8, 15, 16, 31, 32, 63, 64)
_FIRST_YEAR, _YEARS = 1930, 90
_DAY_EXTENSION = b"\xc7%c\x08"
_SPELLINGS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%Y/%m/%d")
_TRIES = 200
_SMALL = 3


def numeral(text: str, draw: Draw) -> str | None:
    """Return the pseudonym of a number or a date, None for anything else."""
    if not is_numeral(text):
        return None
    match = _MOMENT.fullmatch(text)
    if match is not None:
        return _moment(match, draw)
    match = cast("re.Match[str]", _NUMBER.fullmatch(text))
    sign, whole, fraction, exponent = match.groups(default="")
    if not fraction:
        return _integer(sign, whole, draw) + exponent
    is_float = _is_float(sign + whole + "." + fraction)
    made = ""
    for _ in range(_TRIES):
        made = _integer(sign, whole, draw) + "."
        made += _fraction(fraction, draw, nothing_before=whole == "0")
        if not is_float or _is_float(made):
            break
    return made + exponent


def is_numeral(text: str) -> bool:
    """Return True for a number or a date that has a pseudonym of its kind."""
    moment = _MOMENT.fullmatch(text)
    if moment is not None:
        return _is_day(moment)
    match = _NUMBER.fullmatch(text)
    return match is not None and (match[2] != "0" or bool(match[3]))


def is_small(text: str) -> bool:
    """Return True for an integer of up to three digits: too much would be equal to it."""
    return len(text.removeprefix("-")) <= _SMALL and text.removeprefix("-").isdigit()


def _integer(sign: str, digits: str, draw: Draw) -> str:
    """Return a number of as many digits, which takes as many bytes, signed or not."""
    if digits == "0":
        return sign + digits
    width = _width(sign + digits)
    while True:
        made = sign + str(1 + draw(9)) + "".join(str(draw(10)) for _ in digits[1:])
        if _width(made) == width:
            return made


def _width(digits: str) -> int:
    if len(digits) > 20:
        return 0
    number = int(digits)
    bits = (-number - 1 if number < 0 else number).bit_length()
    return sum(bits > limit for limit in _BITS)


def _fraction(digits: str, draw: Draw, *, nothing_before: bool) -> str:
    """Return as many digits; none is left out, and none written, that was not."""
    noughts = len(digits) - len(digits.lstrip("0")) if nothing_before else 0
    kept = "0" * (noughts if noughts < len(digits) else 0)
    rest = digits[len(kept) :]
    made = [str(1 + draw(9)) if kept and not place else str(draw(10)) for place in range(len(rest))]
    if rest[-1] != "0":
        made[-1] = str(1 + draw(9))
    return kept + "".join(made)


def _is_float(text: str) -> bool:
    return repr(float(text)) == text


def _is_day(match: re.Match[str]) -> bool:
    try:
        datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return int(match[5] or 0) < 24 and int(match[6] or 0) < 60 and int(match[7] or 0) < 60


def _moment(match: re.Match[str], draw: Draw) -> str:
    year, month, day = _FIRST_YEAR + draw(_YEARS), 1 + draw(12), 1 + draw(28)
    made = f"{year:04d}-{month:02d}-{day:02d}"
    if match[4] is None:
        return made
    made += f"{match[4]}{draw(24):02d}:{draw(60):02d}"
    if match[7] is not None:
        made += f":{draw(60):02d}"
    if match[8] is not None:
        made += f".{_fraction(match[8], draw, nothing_before=False)}"
    return made + (match[9] or "")


def spelled(text: str, pseudonym: str) -> Iterator[tuple[str, str]]:
    """Yield (a date or a time otherwise spelled, its pseudonym spelled so)."""
    was, now = _MOMENT.fullmatch(text), _MOMENT.fullmatch(pseudonym)
    if was is None or now is None:
        return
    if was[4] is not None:
        other = "T" if was[4] == " " else " "
        yield text.replace(was[4], other), pseudonym.replace(was[4], other)
        return
    for spelling in _SPELLINGS:
        yield _day(was).strftime(spelling), _day(now).strftime(spelling)


def _day(match: re.Match[str]) -> datetime.date:
    return datetime.date(int(match[1]), int(match[2]), int(match[3]))


def packed_alike(text: str, pseudonym: str) -> tuple[bytes, bytes] | None:
    """Return a number, a day or a UUID as it stands in MessagePack, with its pseudonym.

    None where it can't, or may not, be replaced there: small integers are not.
    """
    packed = _packed(text), _packed(pseudonym)
    if packed[0] is None or packed[1] is None or len(packed[0]) != len(packed[1]):
        return None
    return packed[0], packed[1]


def binary_alike(text: str, pseudonym: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield an integer as PostgreSQL's binary parameters are, with its pseudonym."""
    match = _NUMBER.fullmatch(text)
    if match is None or match[3] or match[4] or is_small(text):
        return
    for size in (2, 4, 8):
        if -(1 << (8 * size - 1)) <= int(text) < 1 << (8 * size - 1):
            was, now = (int(one).to_bytes(size, "big", signed=True) for one in (text, pseudonym))
            yield was, now


def _packed(text: str) -> bytes | None:
    if _UUID.fullmatch(text):
        return b"\xd8\x06" + bytes.fromhex(text.replace("-", ""))
    match = _NUMBER.fullmatch(text)
    if match is not None:
        if match[3] or match[4]:
            return b"\xcb" + struct.pack(">d", float(text)) if _is_float(text) else None
        value = int(text)
        if is_small(text) or not -(1 << 63) <= value < 1 << 64:
            return None
        return integer_bytes(value)
    moment = _MOMENT.fullmatch(text)
    if moment is None or moment[4] is not None:
        return None
    parts = b"".join((b"\x93", *(integer_bytes(int(moment[place])) for place in (1, 2, 3))))
    return _DAY_EXTENSION % len(parts) + parts
