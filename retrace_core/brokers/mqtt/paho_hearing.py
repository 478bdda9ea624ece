"""Paho hearing: a request's callbacks, and a process's that is told of its connection.

A request's are called on replay as they were. Those of a client of the process are not called
there, save that it is told, once, that it is connected: the start-up may wait for that.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, Final

from retrace_core.boundary import mask
from retrace_core.brokers.client_calls import ClientCalls
from retrace_core.brokers.mqtt.mqtt_values import packed, unpacked
from retrace_core.native import current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLED", "adding", "greet", "setting"]

CALLED: Final = "paho.called"
"""Kind of the events of a callback that is called."""
_CONNACK = 0x20
_WITHIN_S = 2.0


def setting(original: property) -> property:
    """Hook a property that is a callback."""
    setter: Any = original.fset

    def set_callback(self: Any, function: Any) -> None:
        setter(self, heard(self, function))

    return property(original.fget, set_callback, original.fdel, original.__doc__)


def adding(original: Callable[..., None]) -> Callable[..., None]:
    """Hook `message_callback_add`."""

    @functools.wraps(original)
    def add(self: Any, sub: Any, callback: Any) -> None:
        original(self, sub, heard(self, callback))

    return add


def heard(client: Any, function: Any) -> Any:
    """Return what a client is given in the place of a callback."""
    lane: Any = current()
    if not callable(function) or not is_request(lane):
        return function

    def packed_call(called: Any) -> object:
        return [called[0], [packed(one) for one in called[1][2:]]]

    def arguments(kept: Any) -> Any:
        return (client, client._userdata, *(unpacked(one) for one in kept))

    calls = ClientCalls(lane, function, packed_call, arguments, CALLED)

    def called(*args: Any) -> Any:
        return calls(*args)

    return functools.update_wrapper(called, function)


def greet(client: Any) -> None:
    """Tell a client that is connected to nobody that a broker has welcomed it."""

    def tell() -> None:
        packet = b"\0\0\0" if client._protocol == 5 else b"\0\0"
        client._in_packet = {
            **client._in_packet,
            "command": _CONNACK,
            "packet": bytearray(packet),
            "remaining_length": len(packet),
        }
        client._handle_connack()

    with mask():
        telling = threading.Thread(target=tell, daemon=True)
        telling.start()
        telling.join(_WITHIN_S)
