"""Carriers: the trace in what is no HTTP call, such as a message of a queue or of a stream.

inject(message.headers)             # where it is sent
trace = extract(message.headers)    # where it is received
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrace_core.http_clients.http_exchange import headers_to_send
from retrace_core.native import current
from retrace_mw.propagation import TraceContext, trace_of
from retrace_mw.trace_headers import TraceHeaders

__all__ = ["Getter", "Setter", "extract", "inject"]

Setter = Callable[[Any, str, str], None]
"""Puts a value by a name into a carrier: (carrier, name, value)."""
Getter = Callable[[Any, str], object]
"""Returns what a carrier has by a name, text, bytes or a list of them, or None."""


def set_item(carrier: Any, name: str, value: str) -> None:
    """Put a value into a mapping."""
    carrier[name] = value


def get_item(carrier: Any, name: str) -> object:
    """Return a mapping's value by a name in any case, text or bytes, or None."""
    for key in (name, name.encode("latin-1")):
        if key in carrier:
            return carrier[key]
    for key, value in carrier.items():
        text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
        if text.lower() == name.lower():
            return value
    return None


def inject(carrier: Any, setter: Setter = set_item) -> None:
    """Put the trace of the current request into a carrier; outside a request it does nothing.

    Args:
        carrier: what the other side will get: a dict of headers, the fields of a stream's entry.
        setter: how to put a value in; default: an item of a mapping. Names are lower case.
    """
    for name, value in headers_to_send(current()):
        setter(carrier, name.lower(), value)


def extract(carrier: Any, getter: Getter = get_item, *, trace_header: str = "") -> TraceContext:
    """Return the trace that a carrier speaks of, or a fresh one.

    Args:
        carrier: what `inject` was given on the other side.
        getter: how to read a value; default: an item of a mapping, text or bytes.
        trace_header: the user's own header names, as the setting has them.
    """
    headers = TraceHeaders(trace_header)

    def values(name: str) -> list[str]:
        return _texts(getter(carrier, name.lower()))

    def names() -> list[str]:
        keys: list[str | bytes] = list(carrier) if getter is get_item else []
        return [key.decode("latin-1") if isinstance(key, bytes) else str(key) for key in keys]

    found = {name: some for name in headers.in_asgi.values() if (some := values(name))}
    return trace_of(found, custom=headers.custom, values=values, names=names)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(one)]
    return [value.decode("latin-1") if isinstance(value, bytes) else str(value)]
