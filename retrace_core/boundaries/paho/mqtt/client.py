"""paho-mqtt: what is published and subscribed to, and what comes.

Hooks: the methods of `Client` that an application calls, `reconnect` for `connect`; the properties
by which it hands over its callbacks; `MQTTMessageInfo.wait_for_publish` and `is_published`. Read in
paho-mqtt 2.0 to 2.2.
"""

from __future__ import annotations

from typing import Any

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode

from retrace_core.boundary import Boundary, Patch
from retrace_core.brokers.mqtt.paho_calls import (
    asking,
    connecting,
    disconnecting,
    is_connected,
    is_published,
    looping,
    starting,
    stopping,
    waiting_for_publish,
)
from retrace_core.brokers.mqtt.paho_hearing import adding, setting

_CALLBACKS = (
    *("on_connect", "on_connect_fail", "on_disconnect", "on_message"),
    *("on_publish", "on_subscribe", "on_unsubscribe"),
)
_SUCCESS = MQTTErrorCode.MQTT_ERR_SUCCESS


def _sent() -> Any:
    return MQTTMessageInfo(0)


def _taken() -> Any:
    return _SUCCESS, 0


def _done() -> Any:
    return _SUCCESS


def _once(timeout: float = 1.0) -> float:
    return timeout


def _for_ever(*_: Any, **__: Any) -> None:
    return None


def _at_once(*_: Any, **__: Any) -> float:
    return 0.0


BOUNDARY = Boundary(
    kind="paho",
    supports="paho-mqtt>=2",
    hooks=(
        Patch(Client, "reconnect", connecting),
        Patch(Client, "disconnect", disconnecting),
        Patch(
            Client,
            "publish",
            asking("paho.publish", ("topic", "payload", "qos", "retain", "properties"), _sent),
        ),
        Patch(
            Client,
            "subscribe",
            asking("paho.subscribe", ("topic", "qos", "options", "properties"), _taken),
        ),
        Patch(Client, "unsubscribe", asking("paho.unsubscribe", ("topic", "properties"), _taken)),
        Patch(Client, "ack", asking("paho.ack", ("mid", "qos"), _done)),
        Patch(Client, "loop_start", starting),
        Patch(Client, "loop_stop", stopping),
        Patch(Client, "loop", looping("paho.loop", _once)),
        Patch(Client, "loop_forever", looping("paho.loop", _for_ever)),
        Patch(Client, "loop_read", looping("paho.loop", _at_once)),
        Patch(Client, "loop_write", looping("paho.loop", _at_once)),
        Patch(Client, "loop_misc", looping("paho.loop", _at_once)),
        Patch(Client, "is_connected", is_connected),
        *(Patch(Client, name, setting) for name in _CALLBACKS),
        Patch(Client, "message_callback_add", adding),
        Patch(MQTTMessageInfo, "wait_for_publish", waiting_for_publish),
        Patch(MQTTMessageInfo, "is_published", is_published),
    ),
    errors=("paho.mqtt", "paho.mqtt.client"),
)
