"""What confluent-kafka says, as plain values and back: messages, offsets, errors, metadata."""

from __future__ import annotations

import enum
import importlib
from types import SimpleNamespace
from typing import Any, Final

from confluent_kafka import cimpl

from retrace_core.brokers.kafka.kept_message import KeptMessage

__all__ = ["mend", "packed", "packed_error", "position_key", "unpacked"]

_MARK: Final = "\0confluent"
_CLIENT: Final = "client"
_KEPT: Final = "kafka_error"
"""Attribute of an exception: what it was raised with, while it is recorded."""
_HALF_A_MICROSECOND: Final = 5e-7
_C: Any = cimpl
_CLASSES: Final = "confluent_kafka."
_CLIENTS = (_C.Producer, _C.Consumer, _C._AdminClientImpl)


def packed(value: Any) -> object:
    """Return a value as what the codec gives back unchanged; what is not known, as it is."""
    if isinstance(value, list | tuple):
        return type(value)(packed(one) for one in value) if type(value) in (list, tuple) else value
    if isinstance(value, dict):
        return {packed(key): packed(one) for key, one in value.items()}
    if isinstance(value, enum.Enum):
        return _object("enum", value, value.value)
    if value is None or isinstance(value, str | bytes | int | float):
        return value
    if isinstance(value, _C.Message | KeptMessage):
        return {_MARK: ["message", _fields_of(value)]}
    if isinstance(value, _C.TopicPartition):
        names = ("topic", "partition", "offset", "metadata", "leader_epoch", "error")
        return {_MARK: ["position", {name: packed(getattr(value, name, None)) for name in names}]}
    if isinstance(value, _C.KafkaError):
        flags = [value.fatal(), value.retriable(), value.txn_requires_abort()]
        return {_MARK: ["error", value.code(), value.str(), *flags]}
    if isinstance(value, _C.KafkaException):
        return {_MARK: ["raised", packed(list(value.args))]}
    if isinstance(value, _CLIENTS):
        return {_MARK: [_CLIENT]}
    if type(value).__module__.startswith(_CLASSES) and hasattr(value, "__dict__"):
        return _object("object", value, packed(vars(value)))
    return value


def _object(form: str, value: Any, state: object) -> object:
    return {_MARK: [form, type(value).__module__, type(value).__qualname__, state]}


def _none() -> None:
    return None


def _fields_of(message: Any) -> dict[str, object]:
    fields = {
        name: packed(getattr(message, name)())
        for name in ("topic", "partition", "offset", "key", "value", "headers", "error")
    }
    fields["timestamp"] = list(message.timestamp())
    for name in ("latency", "leader_epoch"):
        fields[name] = getattr(message, name, _none)()
    return fields


def _makes_messages() -> bool:
    try:
        _C.Message()
    except TypeError:
        return False
    return True


_MAKES_MESSAGES: Final = _makes_messages()
"""Newer versions let a message be made."""


def unpacked(value: Any, client: object = None) -> Any:
    """Return a new value, as `packed` got it.

    Args:
        value: what `packed` returned, decoded.
        client: what stands where the client itself stood.
    """
    if isinstance(value, list | tuple):
        return type(value)(unpacked(one, client) for one in value)
    if not isinstance(value, dict):
        return value
    if _MARK not in value:
        return {unpacked(key, client): unpacked(one, client) for key, one in value.items()}
    form, *rest = value[_MARK]
    if form == _CLIENT:
        return client
    if form == "message":
        return _message(unpacked(rest[0]))
    if form == "position":
        return _position(unpacked(rest[0]))
    if form == "error":
        return _C.KafkaError(rest[0], rest[1], *map(bool, rest[2:5]))
    if form == "raised":
        return _C.KafkaException(*unpacked(rest[0]))
    cls = _class(rest[0], rest[1])
    if cls is None:
        return SimpleNamespace()
    if form == "enum":
        return cls(rest[2])
    built = cls.__new__(cls)
    vars(built).update(unpacked(rest[2], client))
    return built


def _message(fields: dict[str, Any]) -> Any:
    given = {name: one for name, one in fields.items() if one is not None}
    given["timestamp"] = tuple(fields["timestamp"])
    if not _MAKES_MESSAGES:
        return KeptMessage(**given)
    if "latency" in given:
        given["latency"] += _HALF_A_MICROSECOND  # it is cut off to whole ones
    return _C.Message(**given)


def _position(fields: dict[str, Any]) -> Any:
    error = fields.pop("error", None)
    built = _C.TopicPartition(**{name: one for name, one in fields.items() if one is not None})
    if error is not None:
        built.error = error
    return built


def _class(module: str, qualname: str) -> Any:
    """Return a class of the library's own; None for any other."""
    if not module.startswith(_CLASSES):
        return None
    found: Any = importlib.import_module(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, type) and found.__module__ == module else None


# -- what is raised


def packed_error(error: Any) -> None:
    """Have an exception keep what it was raised with, such that it can be recorded."""
    setattr(error, _KEPT, packed(list(error.args)))


def mend(error: Any) -> None:
    """Give an exception that was built again what it was raised with."""
    kept = vars(error).pop(_KEPT, None)
    if kept is not None:
        error.args = tuple(unpacked(kept))


# -- what is asked


def position_key(value: Any) -> object:
    """Return what stands in a key for an argument: positions as what they ask."""
    if isinstance(value, list | tuple):
        return [position_key(one) for one in value]
    if isinstance(value, dict):
        return {str(key): position_key(one) for key, one in value.items()}
    if isinstance(value, _C.Message | KeptMessage):
        return [value.topic(), value.partition(), value.offset()]
    if isinstance(value, _C.TopicPartition):
        return [value.topic, value.partition, value.offset]
    if value is None or isinstance(value, str | int | bytes):
        return value
    named = getattr(value, "topic", None) or getattr(value, "name", None)
    kind = type(value).__qualname__
    return [kind, named] if isinstance(named, str) else f"<{kind}>"
