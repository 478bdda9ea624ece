"""Paho calls: those of a client of paho's, on replay of one that is connected to nobody.

Its network loop, be it a thread of the client's or the caller's own, sends and receives for
everybody: below these calls nothing is an event.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from paho.mqtt import enums

from retrace_core.boundary import call, call_free, in_replay, mask
from retrace_core.brokers.client_calls import polled
from retrace_core.brokers.mqtt.mqtt_values import asked, packed, unpacked
from retrace_core.brokers.mqtt.paho_hearing import CALLED, greet
from retrace_core.brokers.pause import pause
from retrace_core.lanes import Lane
from retrace_core.native import current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "asking",
    "connecting",
    "disconnecting",
    "is_connected",
    "is_published",
    "looping",
    "starting",
    "stopping",
    "waiting_for_publish",
]

_SUCCESS = enums.MQTTErrorCode.MQTT_ERR_SUCCESS
_STAND_IN, _RUNS = "_retrace_stand_in", "_retrace_runs"
"""Attributes of a client on replay: connected to nobody; the start of its loop was asked for."""
_STATES: Any = enums._ConnectionState


def _is_stand_in(client: Any, lane: Any) -> bool:
    return getattr(client, _STAND_IN, False) or (lane is not None and in_replay())


def asking(kind: str, names: tuple[str, ...], of_process: Any) -> Callable[[Any], Any]:
    """Return what hooks a method that sends something.

    Args:
        kind: of the events.
        names: of its parameters, which are what is asked.
        of_process: makes what it returns on replay to who is no request.
    """

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def ask(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()

            def live() -> Any:
                if _is_stand_in(self, lane):
                    return of_process()
                return original(self, *args, **options)

            if lane is None:
                return live()
            given = {**dict(zip(names, args, strict=False)), **options}
            key = [asked(given.get(name)) for name in names]
            return call(lane, kind, key, live, packed, unpacked)

        return ask

    return hook


def connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook `reconnect`, to which `connect` comes: an event of the request that does so."""

    @functools.wraps(original)
    def reconnect(self: Any) -> Any:
        lane = current()
        if lane is None and not in_replay():
            return original(self)
        key = [str(self._host), int(self._port)]
        if not in_replay():
            assert lane is not None
            return call(lane, _CONNECT, key, lambda: original(self), packed, unpacked)
        setattr(self, _STAND_IN, True)
        is_own = False
        if isinstance(lane, Lane) and lane.scope.comes(lane, _CONNECT, key):
            call(lane, _CONNECT, key, lambda: _SUCCESS, packed, unpacked)
            is_own = is_request(lane)
        self._state = _STATES.MQTT_CS_CONNECTED
        self.__dict__[_OWN] = is_own
        _greet_when_ready(self)
        return _SUCCESS

    return reconnect


_CONNECT, _OWN = "paho.connect", "_retrace_own"


def _greet_when_ready(client: Any) -> None:
    """Tell a client of the process that it is connected, once its loop runs."""
    of_process = client.__dict__.get(_OWN) is False
    if of_process and client.__dict__.get(_RUNS):
        client.__dict__.pop(_OWN)
        greet(client)


def starting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook `loop_start`: its thread is nobody's, and there is none on replay."""

    @functools.wraps(original)
    def loop_start(self: Any) -> Any:
        if not in_replay():
            with mask():
                return original(self)
        setattr(self, _RUNS, True)
        _greet_when_ready(self)
        if self._state == _STATES.MQTT_CS_CONNECT_ASYNC:
            self.reconnect()
        return _SUCCESS

    return loop_start


def stopping(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook `loop_stop`, which waits for the thread."""
    ask = asking("paho.loop_stop", (), lambda: _SUCCESS)(original)

    @functools.wraps(original)
    def loop_stop(self: Any, *args: Any, **options: Any) -> Any:
        self.__dict__.pop(_RUNS, None)
        return ask(self, *args, **options)

    return loop_stop


def disconnecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook `disconnect`."""
    ask = asking("paho.disconnect", ("reasoncode", "properties"), lambda: _SUCCESS)(original)

    @functools.wraps(original)
    def disconnect(self: Any, *args: Any, **options: Any) -> Any:
        outcome = ask(self, *args, **options)
        if in_replay():
            self._state = _STATES.MQTT_CS_DISCONNECTED
        return outcome

    return disconnect


def looping(kind: str, timeout_of: Callable[..., float | None]) -> Callable[[Any], Any]:
    """Return what hooks a method in which the client sends, receives and calls back.

    Args:
        kind: of the events.
        timeout_of: gets the method's arguments; returns for how long, in seconds, it waits.
    """

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def loop(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()

            def live() -> Any:
                if not _is_stand_in(self, lane):
                    return original(self, *args, **options)
                if not is_request(lane):
                    setattr(self, _RUNS, True)
                    _greet_when_ready(self)
                pause(timeout_of(*args, **options))
                return _SUCCESS

            if lane is None:
                return live()
            if not is_request(lane):
                with mask():
                    return live()
            assert isinstance(lane, Lane)
            return polled(lane, kind, None, live, packed, unpacked, CALLED)

        return loop

    return hook


def is_connected(original: Callable[..., bool]) -> Callable[..., bool]:
    """Hook `is_connected`, which is asked again and again until it is."""

    @functools.wraps(original)
    def connected(self: Any) -> bool:
        lane = current()
        if lane is None:
            return original(self)
        return call_free(lane, "free.paho.is_connected", None, lambda: original(self))

    return connected


def waiting_for_publish(original: Callable[..., None]) -> Callable[..., None]:
    """Hook `MQTTMessageInfo.wait_for_publish`."""

    @functools.wraps(original)
    def wait_for_publish(self: Any, *args: Any, **options: Any) -> None:
        def live() -> Any:
            if not in_replay():
                original(self, *args, **options)
            return self.rc

        lane = current()
        if lane is None:
            live()
        else:
            self.rc = call(lane, "paho.wait_for_publish", self.mid, live, packed, unpacked)

    return wait_for_publish


def is_published(original: Callable[..., bool]) -> Callable[..., bool]:
    """Hook `MQTTMessageInfo.is_published`."""

    @functools.wraps(original)
    def published(self: Any) -> bool:
        lane = current()
        if lane is None:
            return original(self)
        return call(lane, "paho.is_published", self.mid, lambda: original(self))

    return published
