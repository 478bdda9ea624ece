"""paho-mqtt's `publish.single` and `publish.multiple`: one event for the messages.

Hook: `multiple`, to which `single` comes. Their client connects and goes within. Read in paho-mqtt
2.0 to 2.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from paho.mqtt import publish

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.brokers.mqtt.mqtt_values import asked
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_multiple(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def multiple(
        msgs: Any, hostname: str = "localhost", port: int = 1883, *args: Any, **options: Any
    ) -> None:
        lane = current()
        live = functools.partial(original, msgs, hostname, port, *args, **options)
        if lane is None:
            return live()
        return call(lane, "paho.publish", [hostname, port, asked(msgs)], live)

    return multiple


BOUNDARY = Boundary(
    kind="paho",
    supports="paho-mqtt>=2",
    hooks=(Patch(publish, "multiple", _hooked_multiple),),
    errors=("paho.mqtt", "paho.mqtt.client"),
)
