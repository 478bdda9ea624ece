"""Unsealing: puts the true values back into a recording, for who holds the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from retrace_core import encryption
from retrace_core.errors import TornRecording, WrongKey
from retrace_core.recording import Redaction
from retrace_core.trace_file.frames import BODY, HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["redaction_of", "unsealed"]

_COUNT_BYTES = 5
"""The header of the array of parts that a body's payload is."""
_TAG = b"\x92\xa9redaction"

_redaction = msgspec.msgpack.Decoder(Redaction)
_patches = msgspec.msgpack.Decoder(list[tuple[int, bytes]])


def redaction_of(frames: Sequence[tuple[int, bytes]], name: str = "it") -> Redaction | None:
    """Return what was masked, None for nothing.

    Raises:
        TornRecording: what says so is damaged.
    """
    for kind, raw in reversed(frames):
        if kind == BODY and raw[_COUNT_BYTES : _COUNT_BYTES + len(_TAG)] == _TAG:
            try:
                return _redaction.decode(raw[_COUNT_BYTES + len(_TAG) :])
            except msgspec.MsgspecError as error:
                raise TornRecording(f"{name} is damaged inside ({error}); fetch it again") from None
    return None


def unsealed(
    frames: list[tuple[int, bytes]], name: str, *, was_encrypted: bool
) -> tuple[list[tuple[int, bytes]], Redaction | None]:
    """Return the frames of a file with the true values, and what is still masked in them.

    Without a key they come back as they are.

    Args:
        frames: (type, payload) of each.
        name: what to call it in messages.
        was_encrypted: True where a key has opened the file itself, so that it may be another
            one that opens the seal.

    Raises:
        WrongKey: a key was given, and it is another one.
        TornRecording: the seal is damaged.
    """
    redaction = redaction_of(frames, name)
    if redaction is None or not redaction.sealed or not encryption.has_identities():
        return frames, redaction
    try:
        plain = encryption.decrypt(redaction.seal, f"what is sealed in {name}")
    except WrongKey:
        if was_encrypted:
            return frames, redaction
        raise
    try:
        patches = _patches.decode(plain)
    except msgspec.MsgspecError as error:
        raise TornRecording(f"{name} has a damaged seal ({error}); fetch it again") from None
    left = sum(redaction.masked.values()) - redaction.sealed
    still = Redaction(redaction.masked, redaction.masks) if left else None
    return _patched(frames, patches, name), still


def _patched(
    frames: list[tuple[int, bytes]], patches: list[tuple[int, bytes]], name: str
) -> list[tuple[int, bytes]]:
    contents = [
        bytearray(raw if kind == HEADER else raw[_COUNT_BYTES:]) if kind in (HEADER, BODY) else b""
        for kind, raw in frames
    ]
    data = bytearray().join(contents)
    for place, secret in patches:
        if not 0 <= place <= len(data) - len(secret):
            raise TornRecording(f"{name} has a seal of another recording; fetch it again")
        data[place : place + len(secret)] = secret
    found: list[tuple[int, bytes]] = []
    place = 0
    for (kind, raw), content in zip(frames, contents, strict=True):
        now = bytes(data[place : place + len(content)])
        place += len(content)
        if kind == HEADER:
            found.append((kind, now))
        elif kind == BODY:
            found.append((kind, raw[:_COUNT_BYTES] + now))
        else:
            found.append((kind, raw))
    return found
