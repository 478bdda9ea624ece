"""PEM keys: a private key is masked within its label, however its lines are joined.

A variable has one line: there its lines are joined by `\\n` as two characters, or by `_`, or the
whole of it is in base64. By label and size a replay knows which kind of key it was.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrace_core.redaction.replacements import Forms, Replacement

__all__ = ["forms_of_key", "key_in"]

_PEM = re.compile(
    rb"(?:\\[nr]|[\s_])*-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----((?:\\[nr]|[\s0-9A-Za-z+/=_])+)"
    rb"-----END (?:[A-Z]+ )*PRIVATE KEY-----(?:\\[nr]|[\s_])*"
)
_JOINED = re.compile(r"\\[nr]|_")
_IN_BASE64 = b"LS0tLS1CRUdJTi"
"""`-----BEGIN` is written so."""


def key_in(value: bytes) -> bytes:
    """Return what a private key in PEM is without its label, b"" for anything else."""
    match = _PEM.fullmatch(value) if b"PRIVATE KEY" in value else None
    return match[1] if match is not None else b""


def forms_of_key(value: bytes, forms: Forms, rule: str) -> dict[bytes, Replacement] | None:
    """Return form -> replacement for a private key in PEM, None for anything else.

    Args:
        value: as it was found.
        forms: of secrets.
        rule: by which it was found.
    """
    if value[: len(_IN_BASE64)] == _IN_BASE64:
        return _of_encoded(value, forms, rule)
    within = key_in(value).decode()
    if not within:
        return None
    lines = _JOINED.sub("\n", within)
    if lines == within:
        return forms.of(within, rule)
    joints = iter(_JOINED.findall(within))
    now = re.sub("\n", lambda _: next(joints), forms.pseudonym(lines))
    return {**forms.between(within, now, rule), **forms.of(lines, rule)}


def _of_encoded(value: bytes, forms: Forms, rule: str) -> dict[bytes, Replacement] | None:
    try:
        pem = base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
    within = key_in(pem)
    if not within or _JOINED.search(within.decode()) is not None:
        return None
    now = base64.b64encode(pem.replace(within, forms.pseudonym(within.decode()).encode()))
    whole = forms.between(value.decode(), now.decode(), rule)
    return {**whole, **forms.of(within.decode(), rule)}
