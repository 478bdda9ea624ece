"""Base64 text: what data looks like in base64, by each of its alphabets."""

from __future__ import annotations

import re

__all__ = ["BASE64", "TO_URL", "altchars_of"]

BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{16,}|[A-Za-z0-9./]{20,})={0,2}")
"""The second as libraries of passwords write hashes: they have a point for the plus."""
TO_URL = bytes.maketrans(b"+/", b"-_")
"""From the usual alphabet to that of URLs."""


def altchars_of(text: str) -> bytes:
    """Return the two characters of base64 that are no letters or digits, as a text has them."""
    if "-" in text or "_" in text:
        return b"-_"
    return b"./" if "." in text else b"+/"
