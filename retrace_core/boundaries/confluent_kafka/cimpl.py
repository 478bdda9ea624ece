"""confluent-kafka: what is sent, what comes, and what the broker says, with librdkafka at rest.

Hooks: the methods of `Producer`, `Consumer` and the client of administration, which are in C, so
that the classes derived from them (`SerializingProducer`, `DeserializingConsumer`, `AdminClient`)
come to them too, and what was made before. A message that is sent is an event, and so is what
was told of its delivery. Making a client is one only when it fails; on replay none is made, since
librdkafka connects from threads that no audit event tells of. Read in confluent-kafka 2.10 to 2.16.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import cimpl

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay, mask, replays_run
from retrace_core.brokers.client_calls import ClientCalls, polled
from retrace_core.brokers.kafka.confluent import mend, packed, packed_error, position_key, unpacked
from retrace_core.brokers.kafka.message import message_key
from retrace_core.brokers.message_headers import carrying
from retrace_core.brokers.pause import pause
from retrace_core.errors import LiveCallRefused
from retrace_core.http_clients.http_exchange import UNRECORDED
from retrace_core.native import current
from retrace_core.request_lane import is_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

_C: Any = cimpl
_KIND: Final = "confluent_kafka"
_MESSAGE = ("topic", "value", "key", "partition", "callback", "on_delivery", "timestamp", "headers")
_BATCH = ("topic", "messages", "partition", "callback", "on_delivery")
_PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "purge": ("in_queue", "in_flight", "blocking"),
    "send_offsets_to_transaction": ("positions", "group_metadata", "timeout"),
    "list_topics": ("topic", "timeout"),
    "list_groups": ("group", "timeout"),
    "subscribe": ("topics", "on_assign", "on_revoke", "on_lost"),
    "consume": ("num_messages", "timeout"),
    "commit": ("message", "offsets", "asynchronous"),
    "store_offsets": ("message", "offsets"),
    "get_watermark_offsets": ("partition", "timeout", "cached"),
    "seek": ("partition",),
    **dict.fromkeys(("committed", "offsets_for_times"), ("partitions", "timeout")),
    **dict.fromkeys(("assign", "pause", "resume", "position"), ("partitions",)),
    **dict.fromkeys(("incremental_assign", "incremental_unassign"), ("partitions",)),
    **dict.fromkeys(("__exit__", "__len__", "close"), ()),
}
"""What a method is given, in this order; where it is not named here, a timeout."""
_NO_KEY: Final = frozenset(("timeout", "group_metadata", "on_assign", "on_revoke", "on_lost"))

_unmade: set[int] = set()
"""Ids of the clients that a replay has not made: C is asked for nothing of them."""
_deliveries: dict[int, Any] = {}
"""Of a producer, by its id: what it was made to call for each delivery."""


# -- clients, which are not made on replay


def _hooked_init(name: str, original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
        _unmade.discard(id(self))
        _deliveries.pop(id(self), None)
        given = {**(args[0] if args and isinstance(args[0], dict) else {}), **options}
        delivered = given.get("on_delivery") or given.get("dr_cb")
        if name == "Producer" and delivered:
            _deliveries[id(self)] = delivered
        lane, live = current(), functools.partial(original, self, *args, **options)
        if in_replay():
            _unmade.add(id(self))
        if lane is not None:
            _mended(attempt, lane, f"{_KIND}.{name}", None, functools.partial(_keeping, live))
        elif not in_replay():
            live()

    return __init__


def _keeping(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except _C.KafkaException as error:
        packed_error(error)
        raise


def _mended(ask: Callable[..., Any], *args: Any) -> Any:
    try:
        return ask(*args)
    except _C.KafkaException as error:
        mend(error)
        raise


def _is_unmade(client: Any) -> bool:
    return id(client) in _unmade or in_replay()


# -- what a client is asked


def _asked(self: Any, name: str, key: object, ask: Callable[[], Any]) -> Any:
    """Return what the client answers, as an event; it may call functions meanwhile."""

    def live() -> Any:
        if _is_unmade(self):
            raise LiveCallRefused(f"{_KIND}.{name}", str(key))
        return _keeping(ask)

    def back(value: Any) -> Any:
        return unpacked(value, self)

    lane = current()
    if lane is None:
        if _is_unmade(self):
            raise LiveCallRefused(f"{_KIND}.{name}", str(key))
        return ask()
    how: Any = polled if is_request(lane) else call
    return _mended(how, lane, f"{_KIND}.{name}", key, live, packed, back)


def _named(names: tuple[str, ...], args: Any, options: Any) -> dict[str, Any]:
    return {**dict(zip(names, args, strict=False)), **options}


def _asking(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook a method whose answer is an event."""
    names = _PARAMETERS.get(name, ("timeout",))

    @functools.wraps(original)
    def asking(self: Any, *args: Any, **options: Any) -> Any:
        given = _named(names, args, options)
        asked = {one: position_key(given[one]) for one in given if one not in _NO_KEY}
        lane = current()
        if is_request(lane):
            for one in given.keys() & {"on_assign", "on_revoke", "on_lost"}:
                options[one] = ClientCalls(lane, given[one], packed, _back_to(self))
            if options.keys() & {"on_assign", "on_revoke", "on_lost"}:
                args = args[:1]
        live = functools.partial(original, self, *args, **options)
        return _asked(self, name, asked or None, live)

    return asking


def _back_to(client: Any) -> Callable[[Any], Any]:
    return lambda value: unpacked(value, client)


def _quiet(answer: Any) -> Callable[[str, Callable[..., Any]], Callable[..., Any]]:
    """Hook one that a thread may ask for the process, and then it is nobody's event.

    Args:
        answer: on replay, for the process.
    """

    def hook(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        asking, names = _asking(name, original), _PARAMETERS.get(name, ("timeout",))

        @functools.wraps(original)
        def quiet(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None and not _unmade and not replays_run():
                return original(self, *args, **options)
            if is_request(lane):
                return asking(self, *args, **options)
            with mask():
                if not _is_unmade(self):
                    return original(self, *args, **options)
                if name in ("poll", "consume"):
                    pause(_named(names, args, options).get("timeout", -1))
                return answer

        return quiet

    return hook


def _secret(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def setting(self: Any, *args: Any, **options: Any) -> Any:
        with mask():
            return None if _is_unmade(self) else original(self, *args, **options)

    return setting


# -- what is sent


def _called(self: Any, lane: Any, given: dict[str, Any], otherwise: Any) -> Any:
    """Return what the client is to call for a delivery."""
    own = given.pop("on_delivery", None) or given.pop("callback", None) or otherwise
    given.pop("callback", None)
    if own is None or not is_request(lane):
        return own
    return ClientCalls(lane, own, packed, _back_to(self))


def _hooked_produce(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def produce(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None and UNRECORDED.get() is None and not _unmade and not replays_run():
            return original(self, *args, **options)
        given = _named(_MESSAGE, args, options)
        carried = carrying(lane, given.get("headers"))
        if len(args) > len(_MESSAGE) or (lane is None and carried is given.get("headers")):
            return _asked(self, name, None, functools.partial(original, self, *args, **options))
        key = [given.get(one) for one in ("topic", "key", "value", "partition", "headers")]
        if carried is not None:
            given["headers"] = carried
        called = _called(self, lane, given, _deliveries.get(id(self)))
        if called is not None:
            given["on_delivery"] = called
        return _asked(self, name, message_key(*key), functools.partial(original, self, **given))

    return produce


def _hooked_batch(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook the sending of several messages, in each of which stands why it could not be sent."""

    @functools.wraps(original)
    def produce_batch(self: Any, *args: Any, **options: Any) -> Any:
        lane, given = current(), _named(_BATCH, args, options)
        messages = given.get("messages")
        if lane is None or not isinstance(messages, list):
            return _asked(self, name, None, functools.partial(original, self, *args, **options))
        topic, partition = given.get("topic"), given.get("partition", -1)
        key, copies = [], []
        for one in messages:
            own = dict(one)
            asked = (own.get("key"), own.get("value"), own.get("partition", partition))
            key.append(message_key(topic, *asked, own.get("headers")))
            default = given.get("on_delivery") or given.get("callback")
            called = _called(self, lane, own, default or _deliveries.get(id(self)))
            copies.append(own if called is None else {**own, "callback": called})
        given = {"topic": topic, "messages": copies, "partition": partition}

        def live() -> list[Any]:
            sent = original(self, **given)
            return [sent, [one.get("_error") for one in copies]]

        sent, errors = _asked(self, name, key, live)
        for message, error in zip(messages, errors, strict=True):
            if error is not None:
                message["_error"] = error
        return sent

    return produce_batch


# -- administration, whose answers are set in futures by threads of librdkafka


class _Told:
    """Stands before a future of a request's, whose result is an event."""

    def __init__(self, lane: Lane, future: Any, client: Any) -> None:
        self._future = future
        self._tell = ClientCalls(lane, self._set, packed, _back_to(client))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._future, name)

    def _set(self, failed: bool, value: Any) -> None:
        (self._future.set_exception if failed else self._future.set_result)(value)

    def set_result(self, value: Any) -> None:
        self._tell(False, value)

    def set_exception(self, error: Any) -> None:
        self._tell(True, error)


def _hooked_administration(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def administer(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        is_future = [hasattr(one, "set_result") for one in args]
        key = [position_key(one) for one, is_one in zip(args, is_future, strict=True) if not is_one]
        if is_request(lane):
            args = tuple(
                _Told(lane, one, self) if is_one else one
                for one, is_one in zip(args, is_future, strict=True)
            )
        return _asked(self, name, key, functools.partial(original, self, *args, **options))

    return administer


# -- where it goes


def _hooks(cls: Any, init: str, factories: dict[str, Any], otherwise: Any) -> list[Patch]:
    """Return the hooks of a class: each method of the installed version has one."""
    hooks = [Patch(cls, "__init__", functools.partial(_hooked_init, init))]
    for name in vars(cls):
        if not name.startswith("_") or name in factories:
            hooks.append(Patch(cls, name, functools.partial(factories.get(name, otherwise), name)))
    return hooks


_POLLED = {"poll": _quiet(0), "set_sasl_credentials": _secret, "__exit__": _quiet(None)}
_SENDING = {
    **_POLLED,
    "produce": _hooked_produce,
    "produce_batch": _hooked_batch,
    "flush": _quiet(0),
    "close": _quiet(True),
    "purge": _quiet(None),
    "__len__": _quiet(0),
}
_RECEIVING = {
    **_POLLED,
    "poll": _quiet(None),
    "consume": _quiet([]),
    **dict.fromkeys(("subscribe", "unsubscribe", "assign", "unassign", "close"), _quiet(None)),
    **dict.fromkeys(("commit", "store_offsets", "seek", "pause", "resume"), _quiet(None)),
}
_ADMINISTERING = {**_POLLED, **dict.fromkeys(("list_topics", "list_groups", "cluster_id"), _asking)}


def _refused(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
        if in_replay():
            raise LiveCallRefused(f"{_KIND}.ShareConsumer", "it is not covered")
        original(self, *args, **options)

    return __init__


def _forget() -> None:
    # A client that is made with no hook in place may get the id of one that has gone.
    _unmade.clear()
    _deliveries.clear()


BOUNDARY = Boundary(
    kind=_KIND,
    install=lambda _: _forget(),
    remove=_forget,
    supports="confluent-kafka>=2.10",
    hooks=(
        *_hooks(_C.Producer, "Producer", _SENDING, _asking),
        *_hooks(_C.Consumer, "Consumer", _RECEIVING, _asking),
        *_hooks(_C._AdminClientImpl, "AdminClient", _ADMINISTERING, _hooked_administration),
        *(
            Patch(cls, "__init__", _refused)
            for cls in [getattr(_C, "ShareConsumer", None)]
            if cls is not None
        ),
    ),
    errors=("confluent_kafka.cimpl",),
)
