"""One-time codes: those that a request reckoned itself, by an HMAC of a counter or of the time.

The code that somebody gave is masked by its name (`otp`, `token`), or with a password before it. A
replay reckons the true one, since HMACs are recorded, and finds it wrong. So a code that the
request reckoned stands as it is: its digest is in the recording, and it opens nothing any more.
Source: RFC 4226, §5.3 (and RFC 6238, whose counter is the time).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrace_core.redaction.lane_events import lane_events
from retrace_core.redaction.messagepack import token_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retrace_core.redaction.replacing import Region

__all__ = ["codes_in", "parts_with_code"]

_KIND = "free.hmac.digest"
_COUNTER = 8
"""So many bytes are signed."""
_DIGITS = (6, 7, 8)
_LEAST_DIGEST = 20
_MAY_HAVE = re.compile(rb"\A[0-9]{6}|[0-9]{6}\Z")


def codes_in(data: bytes, regions: Sequence[Region], secrets: Iterable[bytes]) -> frozenset[bytes]:
    """Return the codes that a request reckoned, of each usual length.

    Args:
        data: its recording.
        regions: of that.
        secrets: what was found; without digits in them, no code is looked for.
    """
    if data.find(_KIND.encode()) < 0 or not any(map(_MAY_HAVE.search, secrets)):
        return frozenset()
    return frozenset(
        b"%0*d" % (count, number % 10**count)
        for region in regions
        if region.lane
        for number in _numbers(data, region)
        for count in _DIGITS
    )


def parts_with_code(secret: bytes, codes: frozenset[bytes]) -> tuple[bytes, bytes, bytes] | None:
    """Return what is before a code in a secret that begins or ends with one, it, and the rest."""
    for count in _DIGITS:
        if secret[-count:] in codes:
            return secret[:-count], secret[-count:], b""
        if secret[:count] in codes:
            return b"", secret[:count], secret[count:]
    return None


def _numbers(data: bytes, region: Region) -> Iterator[int]:
    """Yield what the digests of counters are cut to."""
    for event in lane_events(data, region):
        if event.kind != _KIND:
            continue
        key = token_at(data, event.key)
        signed = token_at(data, token_at(data, key.begin).end) if key.size == 2 else key
        digest = token_at(data, event.value)
        if signed.kind != digest.kind or signed.kind != "text":
            continue
        said = data[digest.begin : digest.end]
        if signed.end - signed.begin == _COUNTER and len(said) >= _LEAST_DIGEST:
            first = said[-1] & 0x0F
            yield int.from_bytes(said[first : first + 4], "big") & 0x7FFFFFFF
