"""Signatures that say how they were made: of them the signature is masked, the rest is data.

Who sends a webhook writes when it was signed, and by which version of its scheme, beside the
signature. The code takes these apart, looks at the time, and puts it into what it checks.
"""

from __future__ import annotations

import re

__all__ = ["signatures_in"]

_LABELLED = re.compile(
    rb"\s*([A-Za-z][\w-]{0,15})=(?:\"([^\"]*)\"|:([A-Za-z0-9+/]+={0,2}):|([\w+/.-]+={0,2}))\s*(?:[,;&]|\Z)"
)
"""`t=1700000000,v1=5257a8...`, `sha256=5257a8...`, `keyId="...",signature="..."`, `sig1=:...:`."""
_VERSIONED = re.compile(rb"\s*(v[0-9]{1,2}[a-z]?),([A-Za-z0-9+/_-]{16,}={0,2})(?:\s+|\Z)")
"""`v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=`, and more of them after blanks."""
_TIMED = re.compile(rb"[0-9]{9,13}[.:;,]([A-Za-z0-9+/_-]{16,}={0,2})")
"""`1700000000.5257a8...`: when it was signed, and nothing else."""
_SAID = frozenset(b"keyid algorithm alg headers created expires nonce tag kid".split())
"""Parameters by which it is found out how to check, and with which key."""
_TIME = re.compile(rb"[0-9]{9,13}")


def signatures_in(value: bytes) -> list[bytes] | None:
    """Return the signatures in a value that tells how it was made; None for any other value.

    Args:
        value: of a header or a parameter whose name says that it is a signature.
    """
    timed = _TIMED.fullmatch(value.strip())
    if timed is not None:
        return [timed[1]]
    return _all_of(_LABELLED, value) or _all_of(_VERSIONED, value)


def _all_of(form: re.Pattern[bytes], value: bytes) -> list[bytes] | None:
    place = 0
    found: list[bytes] = []
    while place < len(value):
        match = form.match(value, place)
        if match is None:
            return None
        content = next(filter(None, match.groups()[1:]), b"")
        if match[1].lower() not in _SAID and _TIME.fullmatch(content) is None:
            found.append(content)
        place = match.end()
    return found or None
