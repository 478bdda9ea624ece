"""Documents: BSON as plain values, and back to the same bytes.

Plain, so that people can read a recording and redaction finds fields by their names. What
MessagePack has no type for stands in a map of one key that begins with "$", as in MongoDB's
Extended JSON: {"$oid": "65..."}. A map of the application's that looks like one is put into
{"$literal": ...}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64
from bson.objectid import ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["from_plain", "plain_document"]

_OPTIONS: CodecOptions[Any] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS,
    unicode_decode_error_handler="surrogateescape",
)
_LITERAL, _OTHER = "$literal", "$bson"


def plain_document(data: bytes | memoryview) -> dict[str, Any]:
    """Return a BSON document as plain values.

    Raises:
        bson.errors.InvalidBSON: it is none.
    """
    return {name: _plain(one) for name, one in bson.decode(bytes(data), _OPTIONS).items()}


def from_plain(document: dict[str, Any]) -> bytes:
    """Return the BSON of a document that `plain_document` made.

    Raises:
        ValueError: a value in it is of none of the shapes that `plain_document` makes.
    """
    return bson.encode(_literal(document), codec_options=_OPTIONS)


def _plain(value: Any) -> Any:
    cls = type(value)
    if cls is str or cls is int or cls is float or cls is bool or value is None or cls is bytes:
        return value
    if cls is dict:
        found = {name: _plain(one) for name, one in value.items()}
        return {_LITERAL: found} if len(found) == 1 and next(iter(found)) in _TAGS else found
    if cls is list:
        return [_plain(one) for one in value]
    if cls is ObjectId:
        return {"$oid": str(value)}
    if cls is Int64:
        return {"$numberLong": int(value)}
    if cls is DatetimeMS:
        return {"$date": int(value)}
    if cls is Binary:
        return {"$binary": [bytes(value), value.subtype]}
    return {_OTHER: bson.encode({"": value}, codec_options=_OPTIONS)}


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, held = next(iter(value.items()))
        restore = _TAGS.get(name)
        if restore is not None:
            return restore(held)
    return {name: _restored(one) for name, one in value.items()}


def _literal(held: Any) -> Any:
    return {name: _restored(one) for name, one in held.items()}


def _other(held: bytes) -> Any:
    return bson.decode(held, _OPTIONS)[""]


def _binary(held: list[Any]) -> Any:
    return Binary(held[0], held[1])


_TAGS: dict[str, Callable[[Any], Any]] = {
    "$oid": ObjectId,
    "$numberLong": Int64,
    "$date": DatetimeMS,
    "$binary": _binary,
    _OTHER: _other,
    _LITERAL: _literal,
}
