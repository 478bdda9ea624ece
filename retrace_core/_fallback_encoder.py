"""Fallback encoder: one value to MessagePack with our extension types, in pure Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Encoder", "encode", "set_encode_fallback"]

_OPAQUE = 12
_DEPTH = 100

_encode_fallback: Callable[[object], tuple[int, object]] | None = None
_pack = msgspec.msgpack.Encoder().encode


class Encoder:
    """Encodes one value; `tainted` tells whether an opaque one was in it."""

    def __init__(self) -> None:
        self.tainted = False

    def value(self, value: Any, depth: int) -> bytes:
        """Return `value`, which stands `depth` levels deep, as bytes."""
        kind = type(value)
        if depth > _DEPTH:
            return self._opaque(value)
        if value is None or kind in (bool, float, bytes):
            return _pack(value)
        if kind is str:
            try:
                return _pack(value)
            except UnicodeEncodeError:
                return _ext(13, value.encode("utf-8", "surrogatepass"))
        if kind is int:
            if -(1 << 63) <= value < 1 << 64:
                return _pack(value)
            return _ext(4, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
        if kind is list:
            return self._items(value, depth)
        if kind is dict:
            parts = [self.value(part, depth + 1) for pair in value.copy().items() for part in pair]
            return _head(len(parts) // 2, 0x80, 0xDE) + b"".join(parts)
        return self._extension(value, kind, depth)

    def _items(self, items: Any, depth: int) -> bytes:
        parts = [self.value(part, depth + 1) for part in list(items)]
        return _head(len(parts), 0x90, 0xDC) + b"".join(parts)

    def _extension(self, value: Any, kind: type, depth: int) -> bytes:
        codes: dict[type, int] = {tuple: 1, set: 2, frozenset: 3}
        code = codes.get(kind)
        if code is not None:
            return _ext(code, self._items(value, depth))
        if kind is bytearray:
            return _ext(14, bytes(value))
        if kind is memoryview:
            return _pack(bytes(value))
        if kind is complex:
            return _ext(11, _pack([value.real, value.imag]))
        if kind.__name__ == "timedelta" and kind.__module__ == "datetime":
            return _ext(10, _pack([value.days, value.seconds, value.microseconds]))
        if kind.__name__ == "UUID" and hasattr(value, "bytes"):
            return b"\xd8\x06" + bytes(value.bytes)
        try:
            assert _encode_fallback is not None
            code, payload = _encode_fallback(value)
        except Exception:
            return self._opaque(value)
        if code == _OPAQUE:
            self.tainted = True
        if code < 0:
            return self.value(payload, depth + 1)
        return _ext(code, payload if type(payload) is bytes else self.value(payload, depth + 1))

    def _opaque(self, value: object) -> bytes:
        self.tainted = True
        # Not its repr: that may be code of the application's, which asks a database, say.
        return _ext(_OPAQUE, _pack([type(value).__name__, "?"]))


def _head(count: int, short: int, tag: int) -> bytes:
    if count < 16:
        return bytes((short | count,))
    if count < 1 << 16:
        return bytes((tag,)) + count.to_bytes(2, "big")
    return bytes((tag + 1,)) + count.to_bytes(4, "big")


def _ext(code: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 1 << 8:
        return bytes((0xC7, size, code)) + payload
    if size < 1 << 16:
        return b"\xc8" + size.to_bytes(2, "big") + bytes((code,)) + payload
    return b"\xc9" + size.to_bytes(4, "big") + bytes((code,)) + payload


def encode(value: object) -> bytes:
    """Return a value as MessagePack with our extension types."""
    return Encoder().value(value, 0)


def set_encode_fallback(callable: Callable[[object], tuple[int, object]]) -> None:
    """Set what encodes unknown types."""
    global _encode_fallback
    _encode_fallback = callable
