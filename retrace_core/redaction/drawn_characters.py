"""Drawn characters: a secret that was drawn character by character, each by a byte of its own.

`secrets.choice` does so, and with it Django's `get_random_string`, pyotp's keys and passwords that
code makes up: of one byte its first bits are the place in an alphabet, and are drawn once more
where they are too many. Those of a masked secret are drawn for its pseudonym, so that nobody
reckons the secret from them, and a replay makes the pseudonym.
Source: `random.SystemRandom.getrandbits` and `random.Random._randbelow`, read in CPython 3.13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.drawn_text import ALPHABETS, drawn_text
from retrace_core.native import SOFT_KINDS
from retrace_core.redaction.lane_events import soft_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retrace_core.redaction.replacing import Region

__all__ = ["drawn_characters"]

_LEAST = 6
_ONE_BYTE = b"\xc4\x01"
_URANDOM = SOFT_KINDS.index("os.urandom")


def drawn_characters(
    data: bytes, region: Region, secrets: Mapping[bytes, bytes]
) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    """Yield (place of a byte, it, what stands for it, of which secret) for such secrets of a lane.

    Args:
        data: a recording.
        region: of a lane.
        secrets: those that may be in it, and what stands for each, as long.
    """
    wanted = {was: now for was, now in secrets.items() if len(was) >= _LEAST and was.isascii()}
    if not wanted or data.count(_ONE_BYTE, region.begin, region.end) < _LEAST:
        return
    places = [
        end - 1
        for kind, begin, end in soft_values(data, region)
        if kind == _URANDOM and data[begin:end].startswith(_ONE_BYTE) and end - begin == 3
    ]
    done: set[int] = set()
    drawn_bytes = bytes([data[place] for place in places])
    for alphabet in ALPHABETS:
        text, numbers = drawn_text(drawn_bytes, alphabet)
        taken = [places[number] for number in numbers]
        shift = 8 - len(alphabet).bit_length()
        for was, now in wanted.items():
            begin = text.find(was) if set(now) <= set(alphabet) else -1
            while begin >= 0:
                for place, character in zip(taken[begin : begin + len(was)], now, strict=True):
                    drawn = data[place]
                    made = alphabet.index(character) << shift | drawn & ((1 << shift) - 1)
                    if place not in done:
                        done.add(place)
                        yield place, bytes((drawn,)), bytes((made,)), was
                begin = text.find(was, begin + len(was))
