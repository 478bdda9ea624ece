"""aiormq: what a channel asks of RabbitMQ, and what its consumers get; so aio-pika's, too.

Hooks: `Channel.rpc`, which sends a method and waits for its answer; `basic_get`, `basic_publish`
with its confirmation, `basic_ack`, `basic_nack`, `basic_reject`; `basic_consume`, whose function,
when it is a request's, is called in a lane of its own for each message. Closing is an event only
when it fails. What reads the connection is of the process, and nobody's. Read in aiormq 6.8 to 7.2.
"""

from __future__ import annotations

import copy
import functools
import inspect
from typing import TYPE_CHECKING, Any, Final

from aiormq.channel import Channel
from aiormq.exceptions import AMQPChannelError, DeliveryError
from pamqp import commands

from retrace_core.boundary import Boundary, Patch, in_replay, mask
from retrace_core.brokers.amqp.aiormq_asking import ask, only_failing
from retrace_core.brokers.amqp.aiormq_frames import (
    answer_of_none,
    failed,
    fields_of,
    message,
    packed,
    packed_failure,
    unpacked,
)
from retrace_core.brokers.amqp.plain_table import body_key, named
from retrace_core.brokers.message_headers import carrying
from retrace_core.called_back import CalledBack
from retrace_core.native import REPLAY, current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

_PUBLISH: Final = "aiormq.basic.publish"


def _hooked_rpc(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def rpc(self: Any, frame: Any, *args: Any, **options: Any) -> Any:
        lane, asked = current(), fields_of(frame)
        name, sets_up = named(frame.name, asked)
        try:
            return await ask(
                lane,
                f"aiormq.{name}",
                asked,
                functools.partial(original, self, frame, *args, **options),
                lambda: answer_of_none(frame),
                packed,
                lambda kept: unpacked(kept, self),
                in_order=not sets_up,
            )
        except AMQPChannelError as error:
            await _close_again(lane, self, error)
            raise

    return rpc


async def _close_again(lane: Any, channel: Any, error: BaseException) -> None:
    """Close a channel on replay, as the server had done with that error."""
    if lane is not None and lane.mode == REPLAY and not channel.is_closed:
        with mask():
            await channel.close(error)


def _hooked_get(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def basic_get(self: Any, queue: str = "", no_ack: bool = False, **options: Any) -> Any:
        lane, empty = current(), ["Basic.GetEmpty", {}, {}, b""]
        try:
            return await ask(
                lane,
                "aiormq.basic.get",
                {"queue": str(queue), "no_ack": bool(no_ack)},
                functools.partial(original, self, queue, no_ack, **options),
                lambda: message(empty, self),
                packed,
                lambda kept: unpacked(kept, self),
            )
        except AMQPChannelError as error:
            await _close_again(lane, self, error)
            raise

    return basic_get


def _hooked_publish(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def basic_publish(self: Any, body: bytes, **options: Any) -> Any:
        lane = current()
        properties = options.get("properties")
        about = {
            name: options[name]
            for name in ("exchange", "routing_key", "mandatory", "immediate")
            if options.get(name)
        }
        key = [about, fields_of(properties or ()), body_key(bytes(body))]
        headers = None if properties is None else properties.headers
        carried = carrying(lane, headers)
        if carried is not headers:
            made = commands.Basic.Properties(delivery_mode=1)
            options["properties"] = made if properties is None else copy.copy(properties)
            options["properties"].headers = dict(carried)
        raised: list[DeliveryError] = []

        async def live() -> Any:
            try:
                return await original(self, body, **options)
            except DeliveryError as error:
                raised.append(error)
                return None

        def outcome(answer: Any) -> object:
            return ["failed", packed_failure(raised[0])] if raised else ["", packed(answer)]

        def back(kept: list[Any]) -> Any:
            if kept[0]:
                raised.append(failed(kept[1], self))
                return None
            return unpacked(kept[1], self)

        def none() -> Any:
            return commands.Basic.Ack(1) if self.publisher_confirms else None

        try:
            answer = await ask(lane, _PUBLISH, key, live, none, outcome, back)
        except AMQPChannelError as error:
            await _close_again(lane, self, error)
            raise
        if raised:
            raise raised[0]
        return answer

    return basic_publish


def _telling(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks a method that tells the server what became of a message."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        given = inspect.signature(original)

        @functools.wraps(original)
        async def telling(self: Any, *args: Any, **options: Any) -> Any:
            bound = given.bind(self, *args, **options)
            bound.apply_defaults()
            key = {
                part: value
                for part, value in bound.arguments.items()
                if part in ("delivery_tag", "multiple", "requeue")
            }
            live = functools.partial(original, self, *args, **options)
            kind = f"aiormq.basic.{name}"
            return await ask(current(), kind, key, live, lambda: None, packed, _as_it_is)

        return telling

    return hook


def _as_it_is(kept: Any) -> Any:
    return kept


def _hooked_consume(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def basic_consume(
        self: Any, queue: str, consumer_callback: Callable[..., Any], **options: Any
    ) -> Any:
        lane = current()
        if not is_request(lane):
            return await original(self, queue, consumer_callback, **options)
        back = CalledBack(
            lane,
            "aiormq.basic.deliver",
            str(queue),
            lambda kept: consumer_callback(message(kept, self)),
        )

        async def consume(delivered: Any) -> None:
            back.called(packed(delivered))

        if lane.mode == REPLAY:
            # The first message may have come before the server's answer was seen.
            self._retrace_feeds = [*getattr(self, "_retrace_feeds", ()), back]
            back.feed()
        return await original(self, queue, consume, **options)

    return basic_consume


def _hooked_on_close(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def _on_close(self: Any, *args: Any, **options: Any) -> Any:
        if not in_replay():
            return await original(self, *args, **options)
        close_locally = getattr(self, "_close_locally", None)  # since version 7
        if close_locally is not None:
            close_locally()
        return None

    return _on_close


BOUNDARY = Boundary(
    kind="aiormq",
    supports="aiormq>=6.8",
    hooks=(
        Patch(Channel, "rpc", _hooked_rpc),
        Patch(Channel, "basic_get", _hooked_get),
        Patch(Channel, "basic_publish", _hooked_publish),
        Patch(Channel, "basic_ack", _telling("ack")),
        Patch(Channel, "basic_nack", _telling("nack")),
        Patch(Channel, "basic_reject", _telling("reject")),
        Patch(Channel, "basic_consume", _hooked_consume),
        Patch(Channel, "_on_close", _hooked_on_close),
        Patch(Channel, "close", only_failing("aiormq.channel.close")),
    ),
    errors=("aiormq.exceptions",),
)
