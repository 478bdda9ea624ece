"""Outgoing task: what the boundaries of task queues share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core import native
from retrace_core.codec import (
    Opaque,
    PackedException,
    decode,
    pack_exception,
    unpack_exception,
)
from retrace_core.http_clients.http_exchange import headers_to_send

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

__all__ = ["arguments_key", "errors_of", "packed_errors", "unpacked_errors", "with_trace"]


def arguments_key(arguments: object) -> object:
    """Return arguments such that they are the same in another process: objects by their type."""
    return _named(decode(native.encode(arguments)))


def _named(value: Any) -> object:
    if isinstance(value, Opaque):
        return f"<{value.type}>"
    if isinstance(value, dict):
        return {_hashable(_named(key)): _named(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_named(one) for one in value]
    return value


def _hashable(key: object) -> Any:
    return str(key) if isinstance(key, list) else key


def with_trace(lane: native.Lane | None, carrier: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a task's headers with the trace of the current request in them.

    Args:
        lane: the current one; without one the request may be unrecorded, and hands on its trace.
        carrier: the headers so far; what they have of it stays. Names are put in lower case.
    """
    headers = dict(carrier or {})
    present = {str(name).lower() for name in headers}
    for name, value in headers_to_send(lane):
        if name.lower() not in present:
            headers[name.lower()] = value
    return headers


def packed_errors(value: Any) -> Any:
    """Return a value with the exceptions in it, or in its dicts and lists, as plain data."""
    if isinstance(value, BaseException):
        return PackedException(pack_exception(value))
    if type(value) is dict:
        return {key: packed_errors(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(packed_errors(one) for one in value)
    return value


def unpacked_errors(value: Any, allowed: Mapping[str, type[BaseException]]) -> Any:
    """Return a new value, as `packed_errors` got it.

    Args:
        value: what `packed_errors` returned, decoded.
        allowed: full name -> class, besides the built-in ones.
    """
    if isinstance(value, PackedException):
        return unpack_exception(value.packed, allowed)
    if type(value) is dict:
        return {key: unpacked_errors(one, allowed) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(unpacked_errors(one, allowed) for one in value)
    return value


def errors_of(*modules: ModuleType) -> dict[str, type[BaseException]]:
    """Return full name -> class of the exceptions that modules define."""
    return {
        f"{cls.__module__}.{cls.__qualname__}": cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, BaseException)
    }
