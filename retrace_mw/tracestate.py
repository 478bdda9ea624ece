"""The tracestate header: a list of members, each of one tracing system.

Ours is `retrace=yes|no|tail`, the recording decision; `ot` is OpenTelemetry's, with `th`, the
threshold of the sampler that began the trace, and `rv`, randomness in place of the trace id's.

Source: W3C Trace Context level 2, §3.3; OpenTelemetry, TraceState: Probability Sampling.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Members",
    "format_tracestate",
    "is_blank",
    "member",
    "ot_fields",
    "parse_tracestate",
    "put_member",
]

Members = tuple[tuple[str, str], ...]
"""(key, value) of each member, in order; keys differ."""

MOST_MEMBERS = 32
MOST_CHARACTERS = 512
_READ_LIMIT = 8192
_LONG_MEMBER = 128
_KEY = r"[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_MEMBER = re.compile(
    rf"({_KEY})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)
_OT_FIELD = re.compile(r"([a-z][a-z0-9]*):([A-Za-z0-9._-]*)")


def parse_tracestate(values: Iterable[str]) -> Members:
    """Return the members of all tracestate headers of a request, or () when one is invalid.

    An ill-formed member, a key that comes twice, or more than 32 members make it invalid as a
    whole; empty members and the white space around one are nothing.

    Args:
        values: each header's value, in order.
    """
    joined = ",".join(values)
    if not joined or len(joined) > _READ_LIMIT:
        return ()
    found: dict[str, str] = {}
    for part in joined.split(","):
        text = part.strip(" \t")
        if not text:
            continue
        # White space before a value belongs to it; only around the member it does not.
        match = _MEMBER.fullmatch(text)
        if match is None or match[1] in found or len(found) == MOST_MEMBERS:
            return ()
        found[match[1]] = match[2]
    return tuple(found.items())


def is_blank(values: Iterable[str]) -> bool:
    """Return whether all tracestate headers of a request together are valid, but say nothing."""
    return not "".join(values).strip(" \t,")


def format_tracestate(members: Members) -> str:
    """Return the header's value, or "" for no members.

    What is too long for others to take (32 members, 512 characters) is shortened as the
    specification says: members over 128 characters go first, then the last ones.
    """
    kept = [f"{key}={value}" for key, value in members]
    while _length(kept) > MOST_CHARACTERS:
        long = [n for n, text in enumerate(kept) if len(text) > _LONG_MEMBER]
        if not long:
            break
        del kept[long[-1]]
    del kept[MOST_MEMBERS:]
    while _length(kept) > MOST_CHARACTERS:
        kept.pop()
    return ",".join(kept)


def _length(parts: list[str]) -> int:
    return sum(map(len, parts)) + len(parts) - 1


def member(members: Members, key: str) -> str:
    """Return a member's value, or "" where there is none."""
    return next((value for name, value in members if name == key), "")


def put_member(members: Members, key: str, value: str) -> Members:
    """Return the members with one of ours: moved to the front when that changes it."""
    if (key, value) in members:
        return members
    return ((key, value), *(pair for pair in members if pair[0] != key))


def ot_fields(members: Members) -> dict[str, str]:
    """Return the fields of OpenTelemetry's member, {} where there is none."""
    return dict(_OT_FIELD.findall(member(members, "ot")))
