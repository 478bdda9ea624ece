"""Pika frames: what pika sends and hears, as plain values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pika import frame, spec

from retrace_core.brokers.amqp.plain_table import body_key, named, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["answer_of_none", "asked_by", "kind_of", "packed", "unpacked"]

_SECRET = "Connection.UpdateSecret"
_WITH_CONTENT = ("Basic.Deliver", "Basic.GetOk", "Basic.Return")


def asked_by(sent: Iterable[tuple[int, Any, Any]]) -> list[object]:
    """Return what stands in a key for methods that are sent.

    Args:
        sent: the number of a channel, the method, and properties and body, or None, of each.
    """
    return [_asked(method, content) for _, method, content in sent]


def _asked(method: Any, content: Any) -> list[object]:
    asked = [method.NAME.lower(), {} if method.NAME == _SECRET else _fields(method)]
    if content is not None:
        properties, body = content
        asked += [_fields(properties), body_key(bytes(body))]
    return asked


def kind_of(sent: list[tuple[int, Any, Any]]) -> tuple[str, bool]:
    """Return the name of an event, and whether all that is sent only sets something up."""
    if not sent:
        return "process_data_events", False
    names = [named(method.NAME, vars(method)) for _, method, _ in sent]
    return names[-1][0], all(sets_up for _, sets_up in names)


def _fields(part: Any) -> dict[str, Any]:
    return {
        name: plain(value)
        for name, value in vars(part).items()
        if value is not None and not name.startswith("_")
    }


# -- what is heard


def packed(frames: Iterable[Any]) -> list[list[Any]]:
    """Return what is heard, a message as one: channel, name, fields, properties, body."""
    found: list[list[Any]] = []
    open_in: dict[int, tuple[list[Any], int]] = {}
    for one in frames:
        channel = one.channel_number
        if isinstance(one, frame.Method):
            found.append([channel, one.method.NAME, _fields(one.method)])
        elif isinstance(one, frame.Header):
            if not found or found[-1][0] != channel or found[-1][1] not in _WITH_CONTENT:
                found.append([channel, "", {}])  # its method was heard another time
            whole = found[-1]
            whole += [_fields(one.properties), b""]
            open_in[channel] = whole, one.body_size
        elif isinstance(one, frame.Body):
            if channel not in open_in:
                found.append([channel, "", {}, None, one.fragment])
            else:
                open_in[channel][0][4] += one.fragment
    for whole, size in open_in.values():
        if len(whole[4]) < size:
            whole.append(size)  # the rest is heard another time
    return found


def unpacked(heard: Iterable[list[Any]], number: int, numbers: Iterable[int]) -> Iterator[Any]:
    """Yield frames, as `packed` got them.

    Args:
        heard: what `packed` returned, decoded.
        number: of the channel that asks; 0 where none does.
        numbers: of the channels that there are; another was another process's for the same.
    """
    there = set(numbers)
    for channel, name, fields, *content in heard:
        to = channel if channel in there or not there else (number or min(there))
        if name:
            yield frame.Method(to, _made(_class(name), fields))
        if not content:
            continue
        properties, body, *size = content
        if properties is not None:
            length = size[0] if size else len(body)
            yield frame.Header(to, length, _made(spec.BasicProperties, properties))
        if body:
            yield frame.Body(to, body)


def _class(name: str) -> Any:
    first, _, second = name.partition(".")
    return getattr(getattr(spec, first), second)


def _made(cls: Any, fields: dict[str, Any]) -> Any:
    made = cls()
    for name in vars(made):
        setattr(made, name, fields.get(name))
    return made


# -- what nobody has recorded


def answer_of_none(method: Any, confirms: bool) -> Any:
    """Return what a server without anything in it would answer; None for nothing.

    Args:
        method: what is sent.
        confirms: whether the channel waits for a message to be confirmed.
    """
    if isinstance(method, spec.Basic.Publish):
        return spec.Basic.Ack(delivery_tag=1) if confirms else None
    if isinstance(method, spec.Basic.Get):
        return spec.Basic.GetEmpty()
    if not method.synchronous:
        return None
    answer = _class(f"{method.NAME}Ok")()
    for name in vars(answer):
        if hasattr(method, name):
            setattr(answer, name, getattr(method, name))
    if isinstance(answer, spec.Queue.DeclareOk):
        answer.message_count = answer.consumer_count = 0
        answer.queue = answer.queue or "amq.gen-none"
    return answer
