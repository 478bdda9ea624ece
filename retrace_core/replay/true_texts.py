"""True texts: what pseudonyms stand for, where code or boot tape have it anyway."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from retrace_core.code_literals import LEAST
from retrace_core.redaction.forms import forms_of
from retrace_core.replay.from_boot import boot_texts
from retrace_core.replay.from_code import code_texts
from retrace_core.replay.start_up_texts import told_at_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.recording import Recording, Redaction

__all__ = ["true_texts", "with_credentials"]

_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)
"""A byte as it stands in a query (RFC 3986, 2.1)."""
_SPACE = 0x20


def true_texts(redaction: Redaction, boot: Sequence[Recording] = ()) -> dict[bytes, bytes]:
    """Return pseudonym -> the text that it stands for, in each way in which it may be written.

    Args:
        redaction: of the recording.
        boot: the files of its process's boot tape.
    """
    found: dict[bytes, bytes] = {}
    told = told_at_start([one.mask for one in redaction.of_code], boot)
    of_code = [one for one in redaction.of_code if one.mask not in told]
    for mask, text in (*boot_texts(redaction.of_boot, boot), *code_texts(of_code)):
        found.update(_written(mask, text))
    return found


def with_credentials(value: str, told: Callable[[bytes], bytes]) -> str:
    """Return a header's value with what is said behind `Basic` as `told` says it (RFC 7617)."""
    scheme, space, coded = value.partition(" ")
    if scheme.lower() != "basic":
        return value
    try:
        plain = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return value
    now = told(plain)
    return value if now == plain else scheme + space + base64.b64encode(now).decode()


def _written(mask: bytes, text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each form of a pseudonym, with the same form of the true text."""
    parts = _ESCAPED.findall(mask) if len(mask) != len(text) else [bytes((one,)) for one in mask]
    if len(parts) != len(text):
        return
    plain = b"".join(map(_unescaped, parts, text))
    if plain != mask:
        yield mask, b"".join(map(_alike, parts, text))
    for now, was in forms_of(_text(text), _text(plain)):
        if len(was) == len(now) >= LEAST:
            yield was, now


def _unescaped(part: bytes, byte: int) -> bytes:
    return b" " if part == b"+" and byte == _SPACE else unquote_to_bytes(part)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _alike(part: bytes, byte: int) -> bytes:
    if len(part) > 1:
        return b"%%%02x" % byte if part.lower() == part else b"%%%02X" % byte
    return b"+" if part == b"+" and byte == _SPACE else bytes((byte,))
