"""Plain values: what clients of Kafka that are written in Python say, and back."""

from __future__ import annotations

from typing import Any, Final

from retrace_core.concurrency.handed_over import NotData, pack_handed_over, unpack_handed_over
from retrace_core.errors import LiveCallRefused

__all__ = ["asked_value", "packed", "unpacked"]

_NO_DATA: Final = "\0no data"


def packed(value: Any) -> object:
    """Return what a client says as what the codec gives back unchanged.

    What a deserializer of the application has made that is no data, is kept by name only.
    """
    try:
        return pack_handed_over(value)
    except NotData as error:
        return {_NO_DATA: str(error)}


def unpacked(value: Any) -> Any:
    """Return a new value, as `packed` got it.

    Raises:
        LiveCallRefused: it was no data.
    """
    try:
        if type(value) is dict and _NO_DATA in value:
            raise NotData(value[_NO_DATA])
        return unpack_handed_over(value)
    except NotData as error:
        raise LiveCallRefused("kafka", f"what came was not recorded: {error}") from error


def asked_value(value: Any) -> object:
    """Return what stands in a key for an argument: objects by their type."""
    if value is None or isinstance(value, str | bytes | int):
        return value
    if isinstance(value, dict):
        return sorted(([asked_value(key), asked_value(one)] for key, one in value.items()), key=str)
    if isinstance(value, set | frozenset):
        return sorted((asked_value(one) for one in value), key=str)
    if isinstance(value, list | tuple):
        return [asked_value(one) for one in value]
    return f"<{type(value).__qualname__}>"
