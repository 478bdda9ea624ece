"""Bodies: a message body as text to read, if it is text, decompressed and laid out."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from retrace_core.cli.document import plain
from retrace_core.cli.words import size
from retrace_core.codec import decode
from retrace_core.errors import TornRecording
from retrace_core.task_call import VALUE_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["as_text", "content_type", "decompressed", "readable"]

_INFLATED_BYTES = 4 << 20
"""A compressed body is shown up to so much of it."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}


def content_type(headers: Iterable[tuple[str, str]]) -> str:
    """Return the value of Content-Type, or ""."""
    return _header(headers, "content-type")


def decompressed(body: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a body without its gzip or deflate coding, as far as it can be taken off.

    One that is an encoded value, of a task's call, is returned as JSON text.
    """
    headers = list(headers)
    if content_type(headers) == VALUE_TYPE:
        return _value_text(body)
    window = _WINDOWS.get(_header(headers, "content-encoding").strip().lower())
    if window is None:
        return body
    try:
        return zlib.decompressobj(window).decompress(body, _INFLATED_BYTES)
    except zlib.error:
        return body


def as_text(body: bytes) -> str | None:
    """Return the body as text, or None when it is binary."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def readable(
    body: bytes, headers: Iterable[tuple[str, str]], *, limit: int | None = 2000
) -> tuple[str, str]:
    """Return (text to show, remark) of a body; JSON is laid out.

    Args:
        body: as it was sent.
        headers: of its message.
        limit: how many characters to show, None for all.
    """
    listed = list(headers)
    plain = decompressed(body, listed)
    text = as_text(plain)
    remark = f"{size(len(body))} {content_type(listed)}".rstrip()
    if text is None:
        return "", f"{remark}, binary"
    if "json" in content_type(listed).lower() or content_type(listed) == VALUE_TYPE:
        text = _laid_out(text)
    if limit is not None and len(text) > limit:
        return text[:limit], f"{remark}; {len(text) - limit} more characters: --full"
    return text, remark


def _value_text(body: bytes) -> bytes:
    try:
        return json.dumps(plain(decode(body)), ensure_ascii=False).encode()
    except TornRecording:
        return body


def _laid_out(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _header(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")
