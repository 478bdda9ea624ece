"""Aiormq frames: what aiormq sends and gets, as plain values and back."""

from __future__ import annotations

from typing import Any

from aiormq.abc import DeliveredMessage
from aiormq.exceptions import DeliveryError, PublishError
from pamqp import commands
from pamqp.header import ContentHeader

from retrace_core.brokers.amqp.plain_table import plain

__all__ = [
    "answer_of_none",
    "failed",
    "fields_of",
    "frame",
    "message",
    "packed",
    "packed_failure",
    "unpacked",
]


def fields_of(part: Any) -> dict[str, Any]:
    """Return what a frame, or a message's properties, have that is not None."""
    return {name: plain(value) for name, value in part if value is not None}


def packed(answer: Any) -> list[Any] | None:
    """Return an answer as plain values: a frame, a message, or None."""
    if answer is None:
        return None
    if isinstance(answer, DeliveredMessage):
        about = [answer.delivery.name, fields_of(answer.delivery)]
        return [*about, fields_of(answer.header.properties), answer.body]
    return [answer.name, fields_of(answer)]


def unpacked(kept: list[Any] | None, channel: Any) -> Any:
    """Return the answer that was packed; a message is of that channel."""
    if kept is None:
        return None
    return message(kept, channel) if len(kept) > 2 else frame(kept)


def frame(kept: list[Any]) -> Any:
    """Return the frame that was packed."""
    made: Any = commands
    for name in kept[0].split("."):
        made = getattr(made, name)
    return made(**kept[1])


def message(kept: list[Any], channel: Any) -> DeliveredMessage:
    """Return the message that was packed, as one of that channel."""
    _, _, properties, body = kept
    header = ContentHeader(properties=commands.Basic.Properties(**properties), body_size=len(body))
    return DeliveredMessage(delivery=frame(kept[:2]), header=header, body=body, channel=channel)


def packed_failure(error: DeliveryError) -> list[Any]:
    """Return as plain values that a message was returned, or refused."""
    frame_of_it = None if error.frame is None else packed(error.frame)
    return [type(error) is PublishError, packed(error.message), frame_of_it]


def failed(kept: list[Any], channel: Any) -> DeliveryError:
    """Return the exception that was packed."""
    returned, about, frame_of_it = kept
    about, made = unpacked(about, channel), unpacked(frame_of_it, channel)
    return PublishError(about, made) if returned else DeliveryError(about, made)


def answer_of_none(asked: Any) -> Any:
    """Return what a server without anything in it would answer; None for nothing."""
    if isinstance(asked, commands.Basic.Get):
        return commands.Basic.GetEmpty()
    if not asked.synchronous or getattr(asked, "nowait", False):
        return None
    answer = frame([f"{asked.name}Ok", {}])
    known = dict(asked)
    for name, _ in answer:
        if known.get(name) is not None:
            setattr(answer, name, known[name])
    if isinstance(answer, commands.Queue.DeclareOk):
        answer.message_count = answer.consumer_count = 0
        answer.queue = answer.queue or "amq.gen-none"
    return answer
