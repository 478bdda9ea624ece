"""Pika's stand-in: a connection of a replay, which connects to nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.connection import Connection, Parameters

__all__ = ["stand_in"]

_CHANNELS, _FRAME_BYTES, _HEARTBEAT_S = 2047, 131_072, 60
"""What RabbitMQ offers unless it is told otherwise."""
_CAPABILITIES = (
    *("basic.nack", "consumer_cancel_notify", "exchange_exchange_bindings"),
    *("publisher_confirms", "connection.blocked", "authentication_failure_close"),
)


_LOOKS_EACH_S = 0.5


class _Nothing:
    """In the place of a poller: there is no socket; it waits for the next timer."""

    def __init__(self, wait_s: Callable[[], float | None]) -> None:
        self._wait_s = wait_s
        self._wakes = threading.Event()

    def poll(self) -> None:
        """Wait for a moment, at most, such that it can be seen that the replay is over."""
        left_s = self._wait_s()
        self._wakes.wait(_LOOKS_EACH_S if left_s is None else min(left_s, _LOOKS_EACH_S))
        self._wakes.clear()

    def wake_threadsafe(self) -> None:
        """Let `poll` go on."""
        self._wakes.set()

    def activate_poller(self) -> None:
        """Do nothing."""

    close = deactivate_poller = activate_poller


class _Loop(IOLoop):  # type: ignore[misc]  # it comes without types
    @staticmethod
    def _get_poller(get_wait_seconds: Any, process_timeouts: Any) -> Any:
        return _Nothing(get_wait_seconds)


def stand_in(parameters: Any, implementation: Any = None) -> Any:
    """Return a connection in the state that it has when the server has greeted.

    Args:
        parameters: one or several, as `BlockingConnection` gets them.
        implementation: a class in the place of `SelectConnection`.
    """
    if isinstance(parameters, Sequence) and parameters:
        parameters = parameters[0]
    given = parameters if isinstance(parameters, Parameters) else Parameters()
    made: Any = (implementation or SelectConnection)(
        parameters=given, custom_ioloop=_Loop(), internal_connection_workflow=False
    )
    settings = made.params
    settings.channel_max = settings.channel_max or _CHANNELS
    settings.frame_max = min(settings.frame_max or _FRAME_BYTES, _FRAME_BYTES)
    if settings.heartbeat is None or callable(settings.heartbeat):
        settings.heartbeat = _HEARTBEAT_S
    made.server_capabilities = dict.fromkeys(_CAPABILITIES, True)
    made.server_properties = {"product": "RabbitMQ"}
    made._body_max_length = made._get_body_frame_max_length()
    made._opened = True
    made._set_connection_state(Connection.CONNECTION_OPEN)
    return made
