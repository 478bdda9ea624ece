"""Resealing: seals the true values in a recording to other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from retrace_core import encryption
from retrace_core.errors import WrongKey
from retrace_core.trace_file.dump import encode
from retrace_core.trace_file.frames import BODY, frame_bytes, preamble, read_frames
from retrace_core.trace_file.load import load_header
from retrace_core.trace_file.unsealing import redaction_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["checked", "resealed"]


def checked(data: bytes, name: str, encrypt: Callable[[bytes], bytes]) -> bytes:
    """Return the bytes of a recording that is going to be encrypted to other keys, not encrypted.

    Args:
        data: of the file, encrypted or not.
        name, encrypt: as for `resealed`.

    Raises:
        RecordingError: it can't be read, or the keys at hand don't open it.
    """
    plain = encryption.decrypt(data, name) if encryption.is_encrypted(data) else data
    load_header(plain)
    return resealed(plain, name, encrypt)


def resealed(data: bytes, name: str, encrypt: Callable[[bytes], bytes]) -> bytes:
    """Return the bytes of a trace file, its seal one that the new keys open.

    What is sealed to keys that are not at hand stays sealed to those.

    Args:
        data: of the file, not encrypted.
        name: what to call it in messages.
        encrypt: to the new keys.

    Raises:
        RecordingError: it is damaged.
    """
    frames = list(read_frames(data, name))
    redaction = redaction_of(frames)
    if redaction is None or not redaction.sealed or not encryption.has_identities():
        return data
    try:
        plain = encryption.decrypt(redaction.seal, f"what is sealed in {name}")
    except WrongKey:
        return data
    part = encode(("redaction", msgspec.structs.replace(redaction, seal=encrypt(plain))))
    place = max(number for number, (kind, _) in enumerate(frames) if kind == BODY)
    frames[place] = (BODY, b"\xdd\x00\x00\x00\x01" + part)
    return b"".join((preamble(), *(frame_bytes(kind, raw) for kind, raw in frames)))
