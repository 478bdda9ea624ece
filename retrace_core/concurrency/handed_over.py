"""Handed over: what other work of the process gave to a request, as plain data and back.

A thread or task that serves everybody hands its results to a request by a queue, say. Where none
of the request's own lanes had put the item there, it comes from outside of the request, as an
answer of the world does; so it is kept by its value.

Only data is: what the codec knows, exceptions, and objects of classes that are made to hold data
(dataclasses, pydantic, attrs, msgspec, named tuples, enums, and plain classes whose objects hold
nothing but data). They are built again without their
`__init__`, and only of classes that the application has loaded; no code of a file's choice runs.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import sys
from collections import OrderedDict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from retrace_core.codec import PackedException, decode, encode, pack_exception, unpack_exception
from retrace_core.concurrency.loop_steps import answered
from retrace_core.concurrency.ordering import note_got
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from retrace_core.lanes import Lane

__all__ = [
    "HANDED_OVER",
    "NotData",
    "is_packed",
    "note_handed_over",
    "pack_handed_over",
    "record_handed_over",
    "unpack_handed_over",
]

HANDED_OVER: Final = "handed.over"
"""Kind of the events of what was handed over; their value is what `pack_handed_over` returned."""

_MARK = "\0object"
_PLAIN = (
    *(type(None), bool, int, float, complex, str, bytes, bytearray, Decimal, UUID),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
)
_DEEPEST = 30
_MOST = 20_000
"""Of so many values an item is kept, at most."""


class NotData(Exception):
    """A value is no data, or not of a class that is loaded; it can't be kept, or built again."""


def pack_handed_over(value: object) -> object:
    """Return a value as what the codec gives back unchanged.

    Raises:
        NotData: it holds something else than data.
    """
    return _Packer().pack(value, 0)


def note_handed_over(lane: Lane, key: str, item: object, start_ns: int) -> None:
    """Record what a lane has got from other work; where it is no data, only that it has.

    Args:
        lane: which records.
        key: of what it was got.
        item: what was got.
        start_ns: since when it was asked for.
    """
    if hasattr(lane.scope, "label"):
        return  # of a boot tape: on replay, too, it is got from who has it
    try:
        packed = pack_handed_over(item)
    except NotData:
        note_got(lane, start_ns)
    else:
        answered(lane, lane.record(HANDED_OVER, key, RETURNED, packed, start_ns))


def record_handed_over(lane: Lane, key: str, packed: object, start_ns: int) -> None:
    """Record what `pack_handed_over` had returned when a lane got it."""
    lane.record(HANDED_OVER, key, RETURNED, packed, start_ns)


def is_packed(item: object, packed: object) -> bool:
    """Return True where an item is what was packed."""
    try:
        return bool(decode(encode(pack_handed_over(item))) == packed)
    except NotData:
        return False


def unpack_handed_over(packed: object) -> Any:
    """Return the value that was packed.

    Raises:
        NotData: a class of it is not loaded here, or is not made to hold data.
    """
    try:
        return _unpack(packed)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise NotData(f"what was handed over can't be built again: {error}") from error


class _Packer:
    def __init__(self) -> None:
        self._left = _MOST

    def pack(self, value: Any, depth: int) -> object:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise NotData("it is too deep, or too large")
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind in (list, tuple, set, frozenset):
            parts = [self.pack(part, depth + 1) for part in value]
            try:
                return kind(parts)
            except TypeError:  # objects, which are told apart no more
                return {_MARK: ["set", kind is frozenset, parts]}
        if kind is dict:
            if _MARK in value:
                raise NotData("a dictionary has our own mark")
            try:
                return self._pairs(value, depth)
            except TypeError:
                pairs = [[self.pack(part, depth + 1) for part in pair] for pair in value.items()]
                return {_MARK: ["pairs", pairs]}
        if kind is OrderedDict:
            pairs = [[self.pack(part, depth + 1) for part in pair] for pair in value.items()]
            return {_MARK: ["ordered", pairs]}
        if isinstance(value, BaseException):
            return {_MARK: ["error", PackedException(pack_exception(value))]}
        form = _form(kind)
        return {_MARK: [form, f"{kind.__module__}:{kind.__qualname__}", *self._state(value, depth)]}

    def _state(self, value: Any, depth: int) -> list[object]:
        form = _form(type(value))
        if form == "enum":
            return [self.pack(value.value, depth + 1)]
        if form == "tuple":
            return [[self.pack(part, depth + 1) for part in value]]
        if form == "model":
            private = getattr(value, "__pydantic_private__", None)
            return [
                self._pairs(vars(value), depth),
                sorted(value.__pydantic_fields_set__),
                self.pack(getattr(value, "__pydantic_extra__", None), depth + 1),
                self.pack(None if private is None else dict(private), depth + 1),
            ]
        names = [name for name in _fields(type(value)) if hasattr(value, name)]
        fields = {name: getattr(value, name) for name in names} | getattr(value, "__dict__", {})
        if not fields:
            raise NotData("it has nothing in it, and may be known by being that very object")
        return [self._pairs(fields, depth)]

    def _pairs(self, value: dict[Any, Any], depth: int) -> dict[object, object]:
        return {self.pack(k, depth + 1): self.pack(v, depth + 1) for k, v in value.items()}


def _form(cls: type) -> str:
    """Return how objects of a class are taken apart and built.

    Raises:
        NotData: the class is not made to hold data.
    """
    if issubclass(cls, enum.Enum):
        return "enum"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "tuple"
    if not hasattr(cls, "__del__"):
        if hasattr(cls, "__pydantic_fields__") and hasattr(cls, "__pydantic_validator__"):
            if not dataclasses.is_dataclass(cls):
                return "model"
        if hasattr(cls, "__struct_fields__"):
            # They are made by their constructor only, which runs nothing else.
            if not hasattr(cls, "__post_init__"):
                return "struct"
        elif _fields(cls):
            return "fields"
        elif _is_plain(cls):
            return "plain"
    raise NotData(f"{cls.__module__}.{cls.__qualname__} is not made to hold data")


def _is_plain(cls: type) -> bool:
    """Return True for a class of an application or a library that is no more than its attributes.

    Nothing in it is of C, and Python itself calls none of its methods but to make, compare and
    show an object: it is no resource, and nothing to be called, entered, awaited or gone through.
    """
    if type(cls) is not type or cls.__basicsize__ != _Plain.__basicsize__:
        return False
    own = {name for base in cls.__mro__[:-1] for name in vars(base)}
    dunder = {name for name in own if name.startswith("__") and name.endswith("__")}
    is_stdlib = cls.__module__.split(".", 1)[0] in sys.stdlib_module_names
    return "__init__" in own and dunder <= _PLAIN_NAMES and not is_stdlib


class _Plain:
    pass


_PLAIN_NAMES = frozenset(
    "__annotations__ __dict__ __doc__ __eq__ __firstlineno__ __format__ __ge__ __gt__ __hash__"
    " __init__ __le__ __lt__ __match_args__ __module__ __ne__ __orig_bases__ __parameters__"
    " __qualname__ __repr__ __static_attributes__ __str__ __weakref__".split()
)


def _fields(cls: Any) -> tuple[str, ...]:
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    if hasattr(cls, "__attrs_attrs__"):
        return tuple(field.name for field in cls.__attrs_attrs__)
    return tuple(getattr(cls, "__struct_fields__", ()))


def _unpack(packed: Any) -> Any:
    kind = type(packed)
    if kind in (list, tuple, set, frozenset):
        return kind([_unpack(part) for part in packed])
    if kind is not dict:
        return packed
    if _MARK not in packed:
        return {_unpack(key): _unpack(value) for key, value in packed.items()}
    form, *rest = packed[_MARK]
    if form == "set":
        return (frozenset if rest[0] else set)(_unpack(rest[1]))
    if form == "pairs":
        return {key: value for key, value in _unpack(rest[0])}
    if form == "ordered":
        return OrderedDict(_unpack(rest[0]))
    if form == "error":
        names = [str(name) for name in rest[0].packed[0]]
        return unpack_exception(rest[0].packed, _loaded_errors(names))
    cls: Any = _loaded(*str(rest[0]).split(":", 1))
    if _form(cls) != form:
        raise NotData(f"{rest[0]} is another kind of class here")
    if form == "enum":
        return cls(_unpack(rest[1]))
    if form == "tuple":
        return cls._make(_unpack(rest[1]))
    if form == "struct":
        return cls(**_unpack(rest[1]))
    built = cls.__new__(cls)
    if form == "model":
        _set_model(built, *map(_unpack, rest[1:]))
        return built
    for name, value in _unpack(rest[1]).items():
        object.__setattr__(built, name, value)
    return built


def _set_model(built: Any, fields: Any, given: Any, extra: Any, private: Any) -> None:
    object.__setattr__(built, "__dict__", fields)
    object.__setattr__(built, "__pydantic_fields_set__", set(given))
    object.__setattr__(built, "__pydantic_extra__", extra)
    object.__setattr__(built, "__pydantic_private__", private)


def _loaded(module: str, qualname: str) -> type:
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = vars(found)[name] if found is not None else None
    if not isinstance(found, type):
        raise NotData(f"{module}:{qualname} is no class that is loaded here")
    return found


def _loaded_errors(names: list[str]) -> dict[str, type[BaseException]]:
    errors: dict[str, type[BaseException]] = {}
    for name in names:
        module, _, own = name.rpartition(".")
        found = getattr(sys.modules.get(module), own, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            errors[name] = found
    return errors
