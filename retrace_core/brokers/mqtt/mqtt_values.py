"""MQTT values: what paho says and what it is asked, as plain values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paho.mqtt import client as paho
from paho.mqtt import enums, properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from retrace_core.checksum import checksum_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["asked", "packed", "unpacked"]

_Properties: Any = properties.Properties
_MARK: Final = "\0mqtt"
_LONG_BYTES = 8192
_OF_MESSAGE = ("timestamp", "dup", "payload", "qos", "retain", "mid")
_ENUMS = ("MQTTErrorCode", "ConnackCode")
_FLAGS = ("ConnectFlags", "DisconnectFlags")
_SUBSCRIBED = ("QoS", "noLocal", "retainAsPublished", "retainHandling")


def packed(value: Any) -> object:
    """Return a value as what the codec gives back unchanged."""
    kind = type(value)
    if kind in (list, tuple):
        return kind(packed(one) for one in value)
    if kind is bytearray:
        return bytes(value)
    if isinstance(value, paho.MQTTMessage):
        fields = {name: packed(getattr(value, name)) for name in _OF_MESSAGE}
        more = packed(value.properties)
        return {_MARK: ["message", bytes(value._topic), fields, more]}
    if isinstance(value, paho.MQTTMessageInfo):
        return {_MARK: ["info", value.mid, int(value.rc), bool(value._published)]}
    if isinstance(value, ReasonCode):
        return {_MARK: ["code", value.packetType, value.value]}
    if isinstance(value, _Properties):
        return {_MARK: ["properties", value.packetType, bytes(value.pack())]}
    if kind.__name__ in _ENUMS:
        return {_MARK: ["enum", kind.__name__, int(value)]}
    if kind.__name__ in _FLAGS:
        return {_MARK: ["flags", kind.__name__, list(value)]}
    return value


def unpacked(value: Any) -> Any:
    """Return a new value, as `packed` got it."""
    if type(value) in (list, tuple):
        return type(value)(unpacked(one) for one in value)
    if type(value) is not dict:
        return value
    if _MARK not in value:
        return dict(value)
    form, *more = value[_MARK]
    return _BUILD[form](*more)


def _message(topic: bytes, fields: dict[str, Any], more: Any) -> Any:
    message = paho.MQTTMessage(fields["mid"], topic)
    for name in _OF_MESSAGE:
        setattr(message, name, fields[name])
    message.properties = unpacked(more)
    return message


def _info(mid: int, rc: int, published: bool) -> Any:
    info = paho.MQTTMessageInfo(mid)
    info.rc, info._published = enums.MQTTErrorCode(rc), published
    return info


def _code(packet_type: int, value: int) -> Any:
    return ReasonCode(packet_type, identifier=value)


def _properties(packet_type: int, data: bytes) -> Any:
    made = _Properties(packet_type)
    made.unpack(data)
    return made


def _enum(name: str, value: int) -> Any:
    return getattr(enums, name)(value)


def _flags(name: str, values: list[Any]) -> Any:
    return getattr(paho, name)(*values)


_BUILD: Final[dict[str, Callable[..., Any]]] = {
    "message": _message,
    "info": _info,
    "code": _code,
    "properties": _properties,
    "enum": _enum,
    "flags": _flags,
}


def asked(value: Any) -> object:
    """Return what stands in a key for an argument; from 8 KiB on its checksum."""
    if isinstance(value, bytes | bytearray | str):
        data = value.encode() if isinstance(value, str) else bytes(value)
        if len(data) > _LONG_BYTES:
            return checksum_of(data)
        return value if isinstance(value, str) else data
    if isinstance(value, list | tuple):
        return [asked(one) for one in value]
    if isinstance(value, dict):
        return {str(name): asked(one) for name, one in value.items()}
    if isinstance(value, _Properties):
        return [value.packetType, bytes(value.pack())]
    if isinstance(value, SubscribeOptions):
        return [asked(getattr(value, name)) for name in _SUBSCRIBED]
    if value is None or isinstance(value, bool | float):
        return value
    return int(value) if isinstance(value, int) else f"<{type(value).__qualname__}>"
