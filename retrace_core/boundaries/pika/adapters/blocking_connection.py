"""pika: what a `BlockingConnection` asks of RabbitMQ, and what it hears.

Hooks: `BlockingConnection._flush_output`, in which all waiting is done, for an answer or a message;
an event's key is what was sent since the one before, its outcome what is heard meanwhile, frame by
frame. On replay pika's own channels are told these, so that errors, properties, consumers and
generators are its own. Connecting, a channel's opening and closing are events only when they fail.
Besides: `Connection._send_method` and `_process_frame`, where what is sent and heard passes;
`BaseConnection._adapter_emit_data` and `_adapter_disconnect_stream`, behind which a replay's
connection has nothing. Read in pika 1.2 to 1.4.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any, Final

from pika.adapters.base_connection import BaseConnection
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.connection import Connection
from pika.exceptions import AMQPError, ConnectionClosedByClient
from pika.frame import Method

from retrace_core.boundary import Boundary, Patch, attempt, call, call_free, in_replay, mask
from retrace_core.brokers.amqp.pika_frames import (
    answer_of_none,
    asked_by,
    kind_of,
    packed,
    unpacked,
)
from retrace_core.brokers.amqp.pika_stand_in import stand_in
from retrace_core.brokers.message_headers import carrying
from retrace_core.native import REPLAY, current
from retrace_core.recording import FREE_OF_ORDER
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

_SENT: Final = "_retrace_sent"
"""Of the connection below a blocking one: what was sent, and not waited for yet."""
_HEARD: Final = "_retrace_heard"
"""And what is heard while a request waits."""


# -- what is sent and heard


def _hooked_send(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def _send_method(self: Any, channel_number: int, method: Any, content: Any = None) -> None:
        sent = getattr(self, _SENT, None)
        if sent is not None:
            lane = current()
            if lane is not None or in_replay():
                sent.append((channel_number, method, content))
            if content is not None:
                content = _with_trace(lane, *content)
        original(self, channel_number, method, content)

    return _send_method


def _with_trace(lane: Any, properties: Any, body: bytes) -> tuple[Any, bytes]:
    headers = carrying(lane, properties.headers)
    if headers is not properties.headers:
        properties = copy.copy(properties)
        properties.headers = dict(headers)
    return properties, body


def _hooked_hear(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def _process_frame(self: Any, frame_value: Any) -> None:
        heard = getattr(self, _HEARD, None)
        channel: int = getattr(frame_value, "channel_number", 0)
        if heard is not None and channel:
            heard.append(frame_value)
        original(self, frame_value)

    return _process_frame


def _hooked_flush(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def _flush_output(self: Any, *waiters: Callable[[], bool]) -> None:
        below, lane = self._impl, current()
        sent: list[Any] = getattr(below, _SENT, None) or []
        asked = sent[:]
        sent.clear()

        def live() -> list[Any]:
            if in_replay():
                _answered_by_none(self, asked, waiters)
                return []
            heard: list[Any] = []
            setattr(below, _HEARD, heard)
            try:
                original(self, *waiters)
            finally:
                setattr(below, _HEARD, None)
            return heard

        if self.is_closed:
            original(self, *waiters)  # which says so
        elif lane is None or not (asked or is_request(lane)):
            # It is nobody's, or of a consumer that the start-up runs for good.
            with mask():
                live()
        else:
            name, sets_up = kind_of(asked)
            ask = call_free if sets_up else call
            kind = f"{FREE_OF_ORDER if sets_up else ''}pika.{name}"
            try:
                heard = ask(lane, kind, asked_by(asked) or None, live, packed, list)
            except AMQPError as error:
                if lane.mode == REPLAY and not self.is_closed:
                    with mask():
                        below._on_stream_terminated(error)
                raise
            if lane.mode == REPLAY:
                with mask():
                    number = asked[-1][0] if asked else 0
                    for one in unpacked(heard, number, below._channels):
                        below._process_frame(one)
                sent.clear()  # what pika has answered by itself

    return _flush_output


def _answered_by_none(connection: Any, asked: list[Any], waiters: Any) -> None:
    """Let a connection hear what answers without a server; for messages it waits in vain."""
    below = connection._impl
    for number, method, _ in asked:
        channel = below._channels.get(number)
        confirms = channel is not None and channel._get_cookie()._delivery_confirmation
        answer = answer_of_none(method, confirms)
        if answer is not None:
            below._process_frame(Method(number, answer))
    getattr(below, _SENT, []).clear()
    while not connection._closed_result.ready and waiters and not any(one() for one in waiters):
        if not in_replay():
            raise ConnectionClosedByClient(200, "the replay is over")
        below.ioloop.poll()
        below.ioloop.process_timeouts()
    if connection._closed_result.ready:
        connection._cleanup()


# -- connections and channels


def _hooked_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _create_connection(self: Any, configs: Any = None, impl_class: Any = None) -> Any:
        lane = current()
        live = functools.partial(original, self, configs, impl_class)

        def none() -> Any:
            with mask():
                return stand_in(configs, impl_class)

        if lane is not None:
            made = attempt(lane, "pika.connect", None, live, none)
        else:
            made = none() if in_replay() else live()
        setattr(made, _SENT, [])
        return made

    return _create_connection


def _only_failing(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks a method that is an event only when it fails."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def tried(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()

            def live() -> Any:
                with mask():
                    return original(self, *args, **options)

            return live() if lane is None else attempt(lane, kind, None, live, live)

        return tried

    return hook


def _hooked_emit(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def _adapter_emit_data(self: Any, data: bytes) -> None:
        if not (hasattr(self, _SENT) and in_replay()):
            original(self, data)

    return _adapter_emit_data


def _hooked_disconnect(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def _adapter_disconnect_stream(self: Any) -> None:
        if hasattr(self, _SENT) and in_replay():
            self._on_stream_terminated(None)
        else:
            original(self)

    return _adapter_disconnect_stream


BOUNDARY = Boundary(
    kind="pika",
    supports="pika>=1.2",
    hooks=(
        Patch(Connection, "_send_method", _hooked_send),
        Patch(Connection, "_process_frame", _hooked_hear),
        Patch(BaseConnection, "_adapter_emit_data", _hooked_emit),
        Patch(BaseConnection, "_adapter_disconnect_stream", _hooked_disconnect),
        Patch(BlockingConnection, "_create_connection", _hooked_connect),
        Patch(BlockingConnection, "_flush_output", _hooked_flush),
        Patch(BlockingConnection, "channel", _only_failing("pika.channel")),
        Patch(BlockingConnection, "close", _only_failing("pika.close")),
        Patch(BlockingChannel, "close", _only_failing("pika.channel.close")),
    ),
    errors=("pika.exceptions", "pika.adapters.utils.connection_workflow"),
)
