"""Codec: one value to MessagePack with our extension types, and back; never pickle.

Encoding happens at the moment of capture, in the native part, and never raises: what can't
be encoded becomes an `Opaque`. Decoding a stranger's bytes runs none of their code: types
are rebuilt by number, exceptions only as classes of an allowlist. The extension types are
listed in docs/format.md.
"""

from __future__ import annotations

import asyncio
import builtins
import datetime
import enum
import functools
import zoneinfo
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from retrace_core import native
from retrace_core.errors import TornRecording
from retrace_core.opaque_text import opaque_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "BUILTIN_EXCEPTIONS",
    "Opaque",
    "PackedException",
    "UnknownRecordedException",
    "decode",
    "decode_stream",
    "encode",
    "pack_exception",
    "unpack_exception",
]

encode = native.encode

_TUPLE, _SET, _FROZENSET, _BIGINT, _DECIMAL, _UUID, _DATETIME = 1, 2, 3, 4, 5, 6, 7
_DATE, _TIME, _TIMEDELTA, _COMPLEX, _OPAQUE, _SURROGATES, _BYTEARRAY = 8, 9, 10, 11, 12, 13, 14
_NDARRAY, _RANGE, _SLICE, _ENUM, _EXCEPTION = 15, 16, 17, 18, 19
_PLAIN = -1
_ROWS = frozenset(
    {"sqlite3", *(f"{name}.dbapi2" for name in ("pysqlite3", "sqlean", "sqlcipher3"))}
)
_NESTED_EXCEPTIONS = 4
_BASES: tuple[Any, ...] = (str, int, float, bytes, list, dict, set, frozenset, tuple)


class Opaque(msgspec.Struct, frozen=True):
    """A value that could not be recorded: its type, and what tells it from others of that."""

    type: str
    repr: str


class PackedException(msgspec.Struct, frozen=True):
    """An exception inside a recorded value, as it was packed."""

    packed: Any


class UnknownRecordedException(RuntimeError):
    """Stands for a recorded exception whose class no installed boundary allows.

    Args:
        name: full name of the recorded class.
        args: what it was raised with.
    """

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        super().__init__(f"recorded exception {name}{args!r}, of a class that replay may not build")
        self.name = name


BUILTIN_EXCEPTIONS: Mapping[str, type[BaseException]] = {
    f"builtins.{name}": value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {"asyncio.exceptions.CancelledError": asyncio.CancelledError}


# -- encoding what the native part does not know


def _encode_other(value: object) -> tuple[int, object]:
    """Return (extension code, payload) for a value of no type that the encoder knows."""
    if isinstance(value, enum.Enum):
        return _ENUM, [_name(type(value)), value.value]
    if isinstance(value, BaseException):
        return _EXCEPTION, pack_exception(value)
    for base in _BASES:
        if isinstance(value, base):
            return _PLAIN, base(value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, datetime.date | datetime.time):
        return _encode_moment(value)
    if isinstance(value, Decimal):
        return _DECIMAL, str(value).encode()
    if isinstance(value, range):
        return _RANGE, [value.start, value.stop, value.step]
    if isinstance(value, slice):
        return _SLICE, [value.start, value.stop, value.step]
    return _encode_foreign(value)


def _encode_moment(value: datetime.date | datetime.time) -> tuple[int, object]:
    if isinstance(value, datetime.datetime):
        clock = [value.hour, value.minute, value.second, value.microsecond, value.fold]
        return _DATETIME, [value.year, value.month, value.day, *clock, _zone(value.tzinfo, value)]
    if isinstance(value, datetime.date):
        return _DATE, [value.year, value.month, value.day]
    clock = [value.hour, value.minute, value.second, value.microsecond, value.fold]
    return _TIME, [*clock, _zone(value.tzinfo, None)]


def _zone(zone: datetime.tzinfo | None, moment: datetime.datetime | None) -> object:
    if zone is None:
        return None
    if isinstance(zone, zoneinfo.ZoneInfo) and zone.key:
        return zone.key
    offset = zone.utcoffset(moment)
    return None if offset is None else offset.total_seconds()


def _encode_foreign(value: Any) -> tuple[int, object]:
    kind = type(value)
    if kind.__name__ == "Row" and kind.__module__ in _ROWS:
        return _PLAIN, tuple(value)
    if kind.__module__ == "numpy":
        if kind.__name__ == "ndarray" and not value.dtype.hasobject:
            return _NDARRAY, [value.dtype.str, list(value.shape), value.tobytes()]
        if hasattr(value, "item") and hasattr(value, "dtype") and kind.__name__ != "ndarray":
            return _PLAIN, value.item()
    if isinstance(value, Opaque):
        return _OPAQUE, [value.type, value.repr]
    if isinstance(value, PackedException):
        return _EXCEPTION, value.packed
    return _OPAQUE, [_name(kind), opaque_text(value)]


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


@functools.lru_cache(256)
def _names_of(kind: type[BaseException]) -> tuple[str, ...]:
    return tuple(_name(cls) for cls in kind.__mro__ if issubclass(cls, BaseException))


native.set_encode_fallback(_encode_other)


# -- decoding


def decode(data: bytes | memoryview) -> Any:
    """Return the value that these bytes encode.

    Raises:
        TornRecording: they are no valid value, or one that is nested too deep.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise TornRecording(
            f"an encoded value is damaged ({error}); fetch the file again"
        ) from None


def _decode_ext(code: int, data: memoryview) -> Any:
    if code == _BIGINT:
        return int.from_bytes(data, "big", signed=True)
    if code == _DECIMAL:
        try:
            return Decimal(bytes(data).decode())
        except InvalidOperation as error:
            raise ValueError("no decimal number") from error
    if code == _UUID:
        return UUID(bytes=bytes(data))
    if code == _SURROGATES:
        return bytes(data).decode("utf-8", "surrogatepass")
    if code == _BYTEARRAY:
        return bytearray(data)
    payload = _decoder.decode(data)
    if code == _OPAQUE and isinstance(payload, list) and len(payload) == 2:
        return Opaque(str(payload[0]), str(payload[1]))
    if code == _EXCEPTION:
        return PackedException(payload)
    build = _BUILD.get(code)
    if build is None or not isinstance(payload, list):
        raise ValueError(f"unknown extension type {code}")
    return build(payload)


def _moment(fields: list[Any]) -> datetime.datetime:
    year, month, day, hour, minute, second, micro, fold, zone = fields
    tz = _tzinfo(zone)
    return datetime.datetime(year, month, day, hour, minute, second, micro, tz, fold=fold)


def _clock(fields: list[Any]) -> datetime.time:
    hour, minute, second, micro, fold, zone = fields
    return datetime.time(hour, minute, second, micro, _tzinfo(zone), fold=fold)


def _tzinfo(zone: Any) -> datetime.tzinfo | None:
    if zone is None:
        return None
    if isinstance(zone, str):
        try:
            return zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"unknown time zone {zone[:40]!r}") from error
    if zone == 0:
        return datetime.UTC
    return datetime.timezone(datetime.timedelta(seconds=zone))


def _ndarray(fields: list[Any]) -> Any:
    import numpy

    dtype, shape, data = fields
    if not isinstance(dtype, str) or numpy.dtype(dtype).hasobject:
        raise ValueError("no plain array type")
    return numpy.frombuffer(data, dtype=numpy.dtype(dtype)).reshape(shape).copy()


_BUILD: dict[int, Any] = {
    _TUPLE: tuple,
    _SET: set,
    _FROZENSET: frozenset,
    _DATETIME: _moment,
    _DATE: lambda fields: datetime.date(*fields),
    _TIME: _clock,
    _TIMEDELTA: lambda fields: datetime.timedelta(*fields),
    _COMPLEX: lambda fields: complex(*fields),
    _NDARRAY: _ndarray,
    _RANGE: lambda fields: range(*fields),
    _SLICE: lambda fields: slice(*fields),
    _ENUM: lambda fields: fields[1],
}
_decoder = msgspec.msgpack.Decoder(ext_hook=_decode_ext)
_raw_decoder = msgspec.msgpack.Decoder(list[msgspec.Raw])


def decode_stream(data: bytes, count: int) -> Iterator[Any]:
    """Yield `count` values that stand in `data` one after another.

    Raises:
        TornRecording: there are fewer, or more, or one is damaged.
    """
    # One array header before them makes a single value of the whole stream.
    framed = b"\xdd" + count.to_bytes(4, "big") + data
    try:
        parts = _raw_decoder.decode(framed)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise TornRecording(f"the events of a lane are damaged ({error}); fetch it again") from None
    for part in parts:
        yield decode(memoryview(part))


# -- exceptions


_AS_THEY_ARE = frozenset((str, int, bytes, type(None)))


def pack_exception(error: BaseException, depth: int = _NESTED_EXCEPTIONS) -> list[Any]:
    """Return an exception as plain data: [class names, args, attributes, notes, cause, context].

    The last two only where there are any: what it was raised from, and while handling what.

    Args:
        error: any exception.
        depth: how many exceptions inside its arguments and attributes are followed.
    """
    kind: Any = type(error)
    names = list(_names_of(kind))
    args = [part if type(part) in _AS_THEY_ARE else _pack_part(part, depth) for part in error.args]
    attributes: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in vars(error).items():
        if name == "__notes__":
            notes = [str(note) for note in value]
        else:
            attributes[name] = _pack_part(value, depth)
    if isinstance(error, OSError) and len(error.args) < 3 and error.filename is not None:
        name = error.filename
        attributes["filename"] = name if type(name) is str else _pack_part(name, depth)
    packed = [names, args, attributes, notes]
    if depth > 0 and (error.__cause__ is not None or error.__context__ is not None):
        cause, context = error.__cause__, error.__context__
        context = None if context is cause or error.__suppress_context__ else context
        packed += [_pack_part(cause, depth), _pack_part(context, depth)]
    return packed


def _pack_part(value: object, depth: int) -> object:
    if isinstance(value, BaseException):
        return (
            PackedException(pack_exception(value, depth - 1)) if depth > 0 else opaque_text(value)
        )
    if isinstance(value, tuple | list):
        return (
            type(value)(_pack_part(part, depth) for part in value)
            if (type(value) in (tuple, list))
            else value
        )
    return value


def unpack_exception(packed: Any, allowed: Mapping[str, type[BaseException]]) -> BaseException:
    """Return the exception that was packed, built without running its `__init__`.

    Args:
        packed: what `pack_exception` returned, decoded.
        allowed: full name -> class; built-in exceptions are always allowed.

    Returns:
        An instance of the first class of its method resolution order that is allowed, or
        an `UnknownRecordedException` when none but `Exception` is.
    """
    try:
        names, args, attributes, notes, *chain = packed
        arguments = tuple(_unpack_part(part, allowed) for part in args)
        cls = _first_allowed(names, allowed)
    except (TypeError, ValueError) as error:
        raise TornRecording("a recorded exception is damaged; fetch the file again") from error
    if cls is None:
        return UnknownRecordedException(str(names[0]) if names else "?", arguments)
    built = _construct(cls, arguments)
    for name, value in attributes.items():
        try:
            setattr(built, name, _unpack_part(value, allowed))
        except (AttributeError, TypeError):
            continue
    for note in notes:
        built.add_note(note)
    cause, context = (_unpack_part(part, allowed) for part in (chain or (None, None)))
    if isinstance(cause, BaseException):
        built.__cause__ = built.__context__ = cause
    elif isinstance(context, BaseException):
        built.__context__ = context
    return built


def _first_allowed(
    names: list[str], allowed: Mapping[str, type[BaseException]]
) -> type[BaseException] | None:
    for name in names:
        cls = allowed.get(name) or BUILTIN_EXCEPTIONS.get(name)
        if cls in (Exception, BaseException) and name != names[0]:
            return None
        if cls is not None:
            return cls
    return None


def _construct(cls: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    if cls.__module__ == "builtins":
        try:
            return cls(*args)  # OSError and UnicodeError keep their arguments in C fields
        except TypeError:
            pass
    try:
        built = cls.__new__(cls, *args)
    except TypeError:
        built = cls.__new__(cls)
    if isinstance(built, OSError) and 2 <= len(args) <= 5:
        OSError.__init__(built, *args)
    built.args = args
    return built


def _unpack_part(value: Any, allowed: Mapping[str, type[BaseException]]) -> Any:
    if isinstance(value, PackedException):
        return unpack_exception(value.packed, allowed)
    if type(value) in (list, tuple):
        return type(value)(_unpack_part(part, allowed) for part in value)
    return value
