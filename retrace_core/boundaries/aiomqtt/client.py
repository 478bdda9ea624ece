"""aiomqtt: what is published and subscribed to, and what comes.

Hooks: the coroutine methods of `Client` and of its iterator of messages, above paho-mqtt, whose
sockets the event loop watches; making a client is masked, since it hands paho its callbacks. On
replay nobody is connected. Read in aiomqtt 2.3 to 2.5.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from aiomqtt import client as aiomqtt
from aiomqtt import exceptions
from aiomqtt.exceptions import MqttError
from aiomqtt.message import Message

from retrace_core.boundary import Boundary, Patch, call, call_async, in_replay
from retrace_core.brokers.mqtt.mqtt_values import asked, packed, unpacked
from retrace_core.brokers.server_calls import nothing_comes
from retrace_core.masked import masked
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_Client: Any = aiomqtt.Client
_Message: Any = Message
_Iterator: Any = getattr(aiomqtt, "MessagesIterator", None) or _Client.MessagesIterator
_OF_MESSAGE = ("payload", "qos", "retain", "mid")


def _packed(outcome: Any) -> object:
    """Return [error, value] as plain data."""
    error, value = outcome
    if error is not None:
        arguments = [str(one) for one in error.args]
        return [[type(error).__name__, arguments, packed(getattr(error, "rc", None))], None]
    if isinstance(value, Message):
        fields = [packed(getattr(value, name)) for name in _OF_MESSAGE]
        return [None, ["message", str(value.topic), fields, packed(value.properties)]]
    return [None, ["value", packed(value)]]


def _unpacked(kept: Any) -> Any:
    failed, value = kept
    if failed is not None:
        name, arguments, code = failed
        cls: Any = getattr(exceptions, name, MqttError)
        error = cls.__new__(cls, *arguments)
        error.args = tuple(arguments)
        if code is not None:
            error.rc = unpacked(code)
        return [error, None]
    form, *more = value
    if form == "message":
        topic, fields, properties = more
        return [None, _Message(topic, *unpacked(fields), unpacked(properties))]
    return [None, unpacked(more[0])]


async def _asked(lane: Any, kind: str, key: object, live: Callable[[], Any]) -> Any:
    """Return what the broker says, as `boundary.call_async` does, or raise aiomqtt's error."""

    async def tried() -> list[Any]:
        try:
            return [None, await live()]
        except MqttError as error:
            return [error, None]

    error, value = await call_async(lane, kind, key, tried, _packed, _unpacked)
    if error is not None:
        raise error
    return value


def _sending(kind: str, names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what hooks a method that sends something.

    Args:
        kind: of the events.
        names: of its parameters, which are what is asked.
    """

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def send(self: Any, *args: Any, **options: Any) -> Any:
            async def live() -> Any:
                return None if in_replay() else await original(self, *args, **options)

            lane = current()
            if lane is None:
                return await live()
            given = {**dict(zip(names, args, strict=False)), **options}
            return await _asked(lane, kind, [asked(given.get(name)) for name in names], live)

        return send

    return hook


def _hooked_enter(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def enter(self: Any) -> Any:
        async def live() -> Any:
            await (_nothing() if in_replay() else original(self))

        lane, key = current(), [str(self._hostname), int(self._port)]
        scope: Any = getattr(lane, "scope", None)
        # On replay one of the process may be connected anew, which was so when it was recorded.
        if lane is None or (in_replay() and not scope.comes(lane, "aiomqtt.connect", key)):
            await live()
        else:
            await _asked(lane, "aiomqtt.connect", key, live)
        return self

    return enter


async def _nothing() -> None:
    return None


def _hooked_exit(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def leave(self: Any, *args: Any) -> None:
        async def live() -> Any:
            return None if in_replay() else await original(self, *args)

        lane = current()
        await (live() if lane is None else _asked(lane, "aiomqtt.disconnect", None, live))

    return leave


def _hooked_next(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def following(self: Any) -> Any:
        async def live() -> Any:
            return await (nothing_comes() if in_replay() else original(self))

        lane = current()
        return await (live() if lane is None else _asked(lane, "aiomqtt.message", None, live))

    return following


def _hooked_len(original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def waiting(self: Any) -> int:
        lane = current()
        if lane is None:
            return original(self)
        return call(lane, "aiomqtt.waiting", None, lambda: original(self))

    return waiting


_PUBLISHED = ("topic", "payload", "qos", "retain", "properties")
_SUBSCRIBED = ("topic", "qos", "options", "properties")

BOUNDARY = Boundary(
    kind="aiomqtt",
    supports="aiomqtt>=2.3",
    hooks=(
        Patch(_Client, "__init__", masked),
        Patch(_Client, "__aenter__", _hooked_enter),
        Patch(_Client, "__aexit__", _hooked_exit),
        Patch(_Client, "publish", _sending("aiomqtt.publish", _PUBLISHED)),
        Patch(_Client, "subscribe", _sending("aiomqtt.subscribe", _SUBSCRIBED)),
        Patch(_Client, "unsubscribe", _sending("aiomqtt.unsubscribe", _SUBSCRIBED[:1])),
        Patch(_Iterator, "__anext__", _hooked_next),
        Patch(_Iterator, "__len__", _hooked_len),
    ),
    errors=("aiomqtt.exceptions",),
)
