"""Boundary: what a client library's file declares, and the one live/record/replay switch.

A boundary file says which calls cross into the outside world (`Hook`, `Patch`), how an
event's key is named, and how its outcome is encoded and given back. The switch itself is
written once, here: `call`, `call_async`, `attempt`, `attempt_async`.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from retrace_core import failsafe, native
from retrace_core.boot.filling import filling
from retrace_core.boot.tape import on_boot_tape
from retrace_core.c_type import delete_attribute, set_attribute
from retrace_core.codec import pack_exception
from retrace_core.concurrency.loop_steps import answered
from retrace_core.errors import NotOnTape
from retrace_core.lanes import Lane, mask, masked_value
from retrace_core.live_call import AskLive, ask_live, ask_live_async, is_live
from retrace_core.native import INFRA, LANE, RECORD, REPLAY, current, now_ns
from retrace_core.recording import CANCELLED, RAISED, RETURNED

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "Boundary",
    "Hook",
    "Patch",
    "attempt",
    "attempt_async",
    "call",
    "call_async",
    "call_free",
    "connected",
    "filling",
    "in_replay",
    "mask",
    "on_boot_tape",
]

T = TypeVar("T")
Encode = Callable[[Any], object]
Decode = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One method or function whose every call is an event, sync or async as it is."""

    owner: Any
    """The class or module that holds it."""
    name: str
    key: Callable[..., object]
    """Gets the call's arguments (with self); returns what was asked, deterministic."""
    kind: str = ""
    """Event kind; default: the boundary's kind, a dot, and `name`."""
    encode: Encode | None = None
    """Turns the outcome into a value of the codec; default: as it is."""
    decode: Decode | None = None
    """Turns the recorded value back into the outcome; default: as it is."""


@dataclass(frozen=True, slots=True)
class Patch:
    """One attribute replaced by what `factory(original)` returns, and put back on removal."""

    owner: Any
    name: str
    factory: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """What one client library's file declares: its crossings and the errors it may raise."""

    kind: str
    supports: str = ""
    """The distribution and versions it was read and tested against, as a requirement."""
    hooks: tuple[Hook | Patch, ...] = ()
    live_on_miss: bool = False
    """True when a single call can be made live in the midst of a replay: it needs nothing
    that replay has stubbed, such as an open connection."""
    errors: tuple[str | type[BaseException], ...] = ()
    """Exception classes, or names of modules whose exception classes, replay may rebuild."""
    install: Callable[[ModuleType], None] | None = None
    """For what hooks can't express; gets the library's module."""
    remove: Callable[[], None] | None = None


running_replays: list[None] = []
"""As long as there are replays that run in this process; looking at it costs a production
process a few nanoseconds."""


def replay_began(delta: int) -> None:
    """Count a replay that begins (+1) or ends (-1) in this process."""
    if delta > 0:
        running_replays.append(None)
    else:
        running_replays.pop()


def replays_run() -> bool:
    """Return True while a replay runs somewhere in this process."""
    return bool(running_replays)


def in_replay() -> bool:
    """Return True when a replay runs here, even where its lane is masked or out of sight.

    Whoever opens a connection asks this, and returns a stub instead.
    """
    lane = LANE.get()
    if is_live():
        return False
    if lane is not None and lane.mode in (REPLAY, INFRA):
        return True
    return bool(running_replays) and (lane is None or lane.mode != RECORD)


def call(
    lane: native.Lane,
    kind: str,
    key: object,
    function: Callable[[], T],
    encode: Encode | None = None,
    decode: Decode | None = None,
) -> T:
    """Return what `function` returns, recorded; or, on replay, what was recorded.

    Nested crossings are silent: the lane is busy while `function` runs.

    Args:
        lane: what `current()` returned.
        kind: the event's kind, for instance "sqlite3.execute".
        key: what is asked; compared, encoded, with the recorded key on replay.
        function: the live call; not called on replay.
        encode: outcome to recordable value; default: as it is.
        decode: recorded value to outcome; default: as it is.

    Raises:
        BaseException: whatever `function` raises, or raised when it was recorded.
    """
    if lane.mode == REPLAY:
        try:
            value = cast("Lane", lane).scope.answer(cast("Lane", lane), kind, key)
        except AskLive:
            return ask_live(function)
        except NotOnTape:  # a stub of a connection may know a harmless answer itself
            with mask():
                return function()
        return cast("T", value if decode is None else decode(value))
    return lane.call(kind, key, encode, function)


async def call_async(
    lane: native.Lane,
    kind: str,
    key: object,
    function: Callable[[], Awaitable[T]],
    encode: Encode | None = None,
    decode: Decode | None = None,
) -> T:
    """Return what `await function()` returns, recorded; or, on replay, what was recorded.

    It runs with the lane masked: connections, tasks and callbacks that it starts belong
    to no request. A call that was cancelled in flight is cancelled on replay too.

    Args and raises: as `call`.
    """
    if lane.mode == REPLAY:
        try:
            value = await cast("Lane", lane).scope.answer_async(cast("Lane", lane), kind, key)
        except AskLive:
            return await ask_live_async(function)
        except NotOnTape:
            with mask():
                return await function()
        return cast("T", value if decode is None else decode(value))
    start_ns = now_ns()
    LANE.set(masked_value(lane))
    try:
        result = await function()
    except BaseException as error:
        LANE.set(lane)
        record_error(lane, kind, key, error, start_ns)
        raise
    LANE.set(lane)
    try:
        value = result if encode is None else encode(result)
        answered(cast("Lane", lane), lane.record(kind, key, RETURNED, value, start_ns))
    except Exception as error:
        spoil(lane, kind, error)
    return result


def call_free(
    lane: native.Lane,
    kind: str,
    key: object,
    function: Callable[[], T],
    encode: Encode | None = None,
    decode: Decode | None = None,
) -> T:
    """Return what `function` returns, recorded; on replay what was recorded of the same call.

    For what may be asked more or less often than it was recorded, because a cache (of
    templates, say) was warm: in a lane the same call is answered in order, whatever else was
    asked between, and one that was not recorded is made live, in the closed world of a replay.
    A file that is not there then, and that the process had read at another time, is as it was.

    Args: as for `call`; `kind` begins with one of `recording.FREE`.
    """
    if lane.mode == REPLAY:
        owner = cast("Lane", lane)
        found, value = owner.scope.free_answer(owner, kind, key)
        if not found:
            try:
                with mask():
                    return function()
            except FileNotFoundError:
                # A request's replay alone knows what its process had read at another time.
                cold = getattr(owner.scope, "cold_answer", None)
                found, value = (False, None) if cold is None else cold(kind, key)
                if not found:
                    raise
        return cast("T", value if decode is None else decode(value))
    return lane.call(kind, key, encode, function)


def attempt(
    lane: native.Lane,
    kind: str,
    key: object,
    function: Callable[[], T],
    substitute: Callable[[], T] | None = None,
) -> T:
    """Return what `function` returns; only a failure of it is an event.

    For setting up connections: whether one was needed depends on how warm a pool is, so
    that success must leave no trace, but a failure is the request's own experience.

    Args:
        lane, kind, key, function: as for `call`.
        substitute: gives the outcome on replay when no failure was recorded; default None.
    """
    if lane.mode == REPLAY:
        owner = cast("Lane", lane)
        if owner.scope.failure_comes(owner, kind, key):
            owner.scope.answer(owner, kind, key)
        return substitute() if substitute is not None else cast("T", None)
    start_ns, before = now_ns(), LANE.get()
    if before is not None:  # as `mask` does, which costs twice as much
        LANE.set(masked_value(before))
    try:
        try:
            return function()
        finally:
            if before is not None:
                LANE.set(before)
    except BaseException as error:
        record_error(lane, kind, key, error, start_ns)
        raise


def connected(
    lane: native.Lane | None,
    kind: str,
    key: object,
    live: Callable[[], T],
    stub: Callable[[], T],
) -> T:
    """Return what `live` makes, or on replay `stub`; in a lane a failure of it is an event.

    Args:
        lane: what `current()` returned.
        kind, key: as for `call`.
        live: connects.
        stub: makes what stands for the connection on replay.
    """
    if in_replay():
        return stub() if lane is None else attempt(lane, kind, key, stub, stub)
    return live() if lane is None else attempt(lane, kind, key, live)


async def attempt_async(
    lane: native.Lane,
    kind: str,
    key: object,
    function: Callable[[], Awaitable[T]],
    substitute: Callable[[], T] | None = None,
) -> T:
    """Return what `await function()` returns; only a failure of it is an event.

    Args: as for `attempt`.
    """
    if lane.mode == REPLAY:
        owner = cast("Lane", lane)
        if owner.scope.failure_comes(owner, kind, key):
            await owner.scope.answer_async(owner, kind, key)
        return substitute() if substitute is not None else cast("T", None)
    start_ns = now_ns()
    try:
        with mask():
            return await function()
    except BaseException as error:
        record_error(lane, kind, key, error, start_ns)
        raise


def record_error(
    lane: native.Lane, kind: str, key: object, error: BaseException, start_ns: int
) -> None:
    """Append the event of a call that raised or was cancelled."""
    try:
        if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            lane.record(kind, key, CANCELLED, None, start_ns)
        else:
            seq = lane.record(kind, key, RAISED, pack_exception(error), start_ns)
            answered(cast("Lane", lane), seq)
    except Exception as fault:
        spoil(lane, kind, fault)


def spoil(lane: native.Lane, kind: str, fault: Exception) -> None:
    """End the recording after a fault of ours: a missing event would replay wrong."""
    lane.state.cut = True
    failsafe.report(f"record {kind}", fault)


native.set_call_handlers(record_error, spoil)


def install_hook(boundary: Boundary, hook: Hook | Patch) -> Callable[[], None]:
    """Put one hook in place and return the function that takes it out again."""
    own = vars(hook.owner)
    inherited = hook.name not in own
    # The raw attribute: a staticmethod or classmethod must be put back as it was.
    original = getattr(hook.owner, hook.name) if inherited else own[hook.name]
    if isinstance(hook, Patch):
        replacement = hook.factory(original)
    else:
        replacement = crossing(hook, hook.kind or f"{boundary.kind}.{hook.name}", original)
    set_attribute(hook.owner, hook.name, replacement)

    def remove() -> None:
        if vars(hook.owner).get(hook.name) is not replacement:
            return  # someone wrapped it after us: taking ours out would take theirs too
        if inherited:
            delete_attribute(hook.owner, hook.name)
        else:
            set_attribute(hook.owner, hook.name, original)

    return remove


def crossing(hook: Hook, kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `original` with its calls recorded and replayed as events of `kind`."""
    key, encode, decode = hook.key, hook.encode, hook.decode
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def hooked_async(*args: Any, **kwargs: Any) -> Any:
            lane = current()
            if lane is None:
                return await original(*args, **kwargs)
            asked = key(*args, **kwargs)
            live = functools.partial(original, *args, **kwargs)
            return await call_async(lane, kind, asked, live, encode, decode)

        return hooked_async

    @functools.wraps(original)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return original(*args, **kwargs)
        asked = key(*args, **kwargs)
        live = functools.partial(original, *args, **kwargs)
        return call(lane, kind, asked, live, encode, decode)

    return hooked
