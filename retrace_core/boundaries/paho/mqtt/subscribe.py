"""paho-mqtt's `subscribe.simple`: one event for the messages that came.

Hook: `simple`. `callback` comes down to `Client`, whose callbacks it sets. Read in paho-mqtt 2.0 to
2.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from paho.mqtt import subscribe

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.brokers.mqtt.mqtt_values import asked, packed, unpacked
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = ("topics", "qos", "msg_count", "retained", "hostname", "port")


def _hooked_simple(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def simple(*args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(*args, **options)
        given = {**dict(zip(_NAMES, args, strict=False)), **options}
        key = [asked(given.get(name)) for name in _NAMES]
        live = functools.partial(original, *args, **options)
        return call(lane, "paho.receive", key, live, packed, unpacked)

    return simple


BOUNDARY = Boundary(
    kind="paho",
    supports="paho-mqtt>=2",
    hooks=(Patch(subscribe, "simple", _hooked_simple),),
    errors=("paho.mqtt", "paho.mqtt.client"),
)
