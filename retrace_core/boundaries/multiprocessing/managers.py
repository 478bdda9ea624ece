"""Managers of multiprocessing: what is asked of an object in a manager's process is an event.

A replay starts no such process: one that is started, or connected to, is so in name only, and
what its objects (dictionaries, lists, queues, locks ...) said, to the start-up or to a request,
comes back. An object is known by its type; what it is asked, by the method and its arguments.

Hooks: of `BaseManager` `start`, `connect`, `_create`, by which every way of making an object
comes, `_debug_info` and `_number_of_objects`; of `BaseProxy` `_callmethod`, by which every
method comes, and `_incref`; and the clients by which both connect. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
from multiprocessing import managers
from multiprocessing.context import AuthenticationError
from multiprocessing.managers import BaseManager, BaseProxy, RemoteError, SyncManager, Token
from typing import TYPE_CHECKING, Any, Final

from retrace_core.boundary import Boundary, Patch, call, in_replay, mask
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current
from retrace_core.programs.other_process import PlayedProcess, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_PROXY: Final = "\0proxy"
"""Mark of an answer that is an object in the manager's process, too."""
_STATES: Any = vars(managers)["State"]
_STARTED, _SHUTDOWN = _STATES.STARTED, _STATES.SHUTDOWN
_FORMAL = ("accept_connection", "decref", "dummy", "incref", "shutdown")
"""What is told to the process itself, and answered by nothing."""


class _Played:
    """Stands for a connection to a process that a replay has not started."""

    def __init__(self) -> None:
        self._asked = ""

    def send(self, asked: Any) -> None:
        self._asked = str(asked[1])

    def recv(self) -> tuple[str, None]:
        if self._asked not in _FORMAL:
            raise LiveCallRefused("multiprocessing.ask", self._asked)
        return "#RETURN", None

    def close(self) -> None:
        pass

    def __enter__(self) -> _Played:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _connecting(client: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(client)
    def connecting(*args: Any, **options: Any) -> Any:
        if in_replay():
            return _Played()
        with mask():  # what is asked is the event
            return client(*args, **options)

    return connecting


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(start)
    def starting(manager: Any, *args: Any, **options: Any) -> None:
        lane = current()
        if lane is None and not in_replay():
            return start(manager, *args, **options)
        name = type(manager).__name__

        def live() -> list[Any]:
            if in_replay():
                return [0, "played"]  # nobody started one when it was recorded
            with mask():
                start(manager, *args, **options)
            return [manager._process.pid, manager._address]

        plays = lane is None or lane.mode == REPLAY
        pid, address = live() if lane is None else call(lane, "multiprocessing.manager", name, live)
        if plays:
            _play(manager, pid, address)
        return None

    return starting


def _play(manager: Any, pid: int, address: object) -> None:
    """Have a manager look as if it were started."""
    process = manager._ctx.Process(target=type(manager)._run_server)
    ident = ":".join(str(number) for number in process._identity)
    process.name = f"{type(manager).__name__}-{ident}"
    process._popen = PlayedProcess(pid)
    manager._process, manager._address = process, address
    manager._state.value = _STARTED

    def shutdown() -> None:
        manager._state.value = _SHUTDOWN

    manager.shutdown = shutdown


def _connected(connect: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(connect)
    def connecting(manager: Any) -> None:
        lane = current()
        if lane is None and not in_replay():
            return connect(manager)
        if lane is None:
            manager._state.value = _STARTED
            return None

        def live() -> None:
            if not in_replay():
                with mask():
                    connect(manager)

        call(lane, "multiprocessing.connect", type(manager).__name__, live)
        manager._state.value = _STARTED
        return None

    return connecting


def _creating(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def creating(manager: Any, typeid: str, /, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None and not in_replay():
            return create(manager, typeid, *args, **options)
        if not hasattr(manager._Client, "__wrapped__"):  # made before we were here
            manager._Client = _connecting(manager._Client)

        def live() -> Any:
            if in_replay():
                return Token(typeid, manager._address, "0"), _exposed(manager, typeid)
            return create(manager, typeid, *args, **options)

        def named(made: Any) -> list[Any]:
            token, exposed = made
            return [token.id, list(exposed)]

        def rebuilt(named: Any) -> Any:
            return Token(typeid, manager._address, named[0]), tuple(named[1])

        if lane is None:
            return live()
        key = [typeid, *_asked(args, options)]
        return call(lane, "multiprocessing.create", key, live, named, rebuilt)

    return creating


def _exposed(manager: Any, typeid: str) -> tuple[str, ...]:
    """Return the methods of a type, as a server says them of an object that it has made."""
    made, exposed, *_ = manager._registry[typeid]
    return tuple(exposed or managers.public_methods(made))  # type: ignore[attr-defined]


def _asked(args: Any, options: Any) -> list[object]:
    return [[packed(one) for one in args], {name: packed(one) for name, one in options.items()}]


def _calling(ask: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(ask)
    def calling(proxy: Any, methodname: str, args: Any = (), kwds: Any = {}) -> Any:  # noqa: B006
        lane = current()
        if lane is None:
            return ask(proxy, methodname, args, kwds)
        key = [proxy._token.typeid, methodname, *_asked(args, kwds)]
        live = functools.partial(ask, proxy, methodname, args, kwds)
        rebuilt = functools.partial(_rebuilt, proxy)
        return call(lane, "multiprocessing.ask", key, live, _told, rebuilt)

    return calling


def _told(answer: Any) -> object:
    if isinstance(answer, BaseProxy):
        proxy: Any = answer
        own = getattr(proxy, "_exposed_", ()) if _is_automatic(proxy) else ()
        return {_PROXY: [proxy._token.typeid, proxy._id, list(own), proxy._manager is not None]}
    return packed(answer)


def _is_automatic(proxy: Any) -> bool:
    return bool(getattr(proxy, "_isauto", False))


def _rebuilt(proxy: Any, told: Any) -> Any:
    if not isinstance(told, dict) or _PROXY not in told:
        return unpacked(told)
    typeid, ident, exposed, has_manager = told[_PROXY]
    manager: Any = proxy._manager if proxy._manager is not None else SyncManager
    make = manager._registry[typeid][-1]
    token = Token(typeid, proxy._token.address, ident)
    options: dict[str, Any] = {"exposed": tuple(exposed)} if exposed else {}
    if not exposed and make is managers.AutoProxy:  # type: ignore[attr-defined]
        options["exposed"] = _exposed(manager, typeid)
    given = manager if has_manager else None
    return make(token, proxy._serializer, manager=given, authkey=proxy._authkey, **options)


def _counting(count: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(count)
    def counting(proxy: Any) -> None:
        if in_replay():
            proxy._idset.add(proxy._id)
            return
        with mask():
            count(proxy)

    return counting


def _looking(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def hook(look: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(look)
        def looking(manager: Any) -> Any:
            lane = current()
            if lane is None:
                return look(manager)
            return call(lane, f"multiprocessing.{name}", None, functools.partial(look, manager))

        return looking

    return hook


_clients: dict[str, Any] = {}


def _install(_: ModuleType) -> None:
    known: dict[str, Any] = managers.listener_client  # type: ignore[attr-defined]
    for serializer, (listener, client) in known.items():
        _clients[serializer] = (listener, client)
        known[serializer] = (listener, _connecting(client))


def _remove() -> None:
    managers.listener_client.update(_clients)  # type: ignore[attr-defined]
    _clients.clear()


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(BaseManager, "start", _starting),
        Patch(BaseManager, "connect", _connected),
        Patch(BaseManager, "_create", _creating),
        Patch(BaseManager, "_debug_info", _looking("debug_info")),
        Patch(BaseManager, "_number_of_objects", _looking("number_of_objects")),
        Patch(BaseProxy, "_callmethod", _calling),
        Patch(BaseProxy, "_incref", _counting),
    ),
    errors=(AuthenticationError, RemoteError, "queue"),
    install=_install,
    remove=_remove,
)
