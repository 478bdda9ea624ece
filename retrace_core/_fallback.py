"""Fallback: the native part in pure Python, for where there is no compiler and no wheel.

Partial, and `retrace doctor` says so: attributes of modules are replaced, so that references
taken earlier (default arguments, partials, closures) and what C types provide (`datetime.now`,
instances of `random.Random`) are read live and are not recorded.
"""

from __future__ import annotations

import functools
import os
import random
import socket
import sys
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core import _fallback_encoder, _fallback_finder, _fallback_texts
from retrace_core._fallback_encoder import Encoder
from retrace_core.coverage.audit_events import OPEN, WORLD, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType

OFF, RECORD, REPLAY, INFRA = range(4)
_KINDS = (
    "time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter"
    " time.perf_counter_ns time.process_time time.process_time_ns time.thread_time"
    " time.thread_time_ns time.clock_gettime time.clock_gettime_ns time.localtime time.gmtime"
    " time.strftime time.ctime time.asctime time.sleep datetime.now datetime.utcnow date.today"
    " os.urandom os.getrandom ssl.RAND_bytes random.random random.getrandbits uuid.uuid1"
    " os.getpid os.getppid socket.gethostname os.uname"
).split()
_MORE = ("sqlite3.connect", "ctypes.dlopen", "ctypes.dlsym", "os.utime")
SOFT_KINDS: tuple[str, ...] = tuple(_KINDS)
LANE: ContextVar[Lane | None] = ContextVar("retrace_lane", default=None)

_HOOKED: dict[str, Any] = {
    **{
        f"time.{name}": time
        for name in (
            "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time"
            " process_time_ns thread_time thread_time_ns clock_gettime clock_gettime_ns sleep"
        ).split()
    },
    "os.urandom": os,
    "os.getpid": os,
    "os.getppid": os,
    "random.random": random,
    "random.getrandbits": random,
    "socket.gethostname": socket,
}

_monotonic_ns = time.monotonic_ns
_armed = 0
_policy: Callable[..., int] | None = None
_pid = 0
_sites: dict[Any, int] = {}
_ON_BEHALF = -2
"""What the policy says of code that reads for whoever calls it."""
_FOR_CALLER = -3
"""And of code whose reading is that of whoever calls it, as if that had made it itself."""
_call_handlers: tuple[Callable[..., None], Callable[..., None]]
_originals: list[tuple[Any, str, Any]] = []
_pack = msgspec.msgpack.Encoder().encode


class _Here(threading.local):
    exempt = 0
    parent: Lane | None = None
    child: Lane | None = None


_here = _Here()


class ScopeState:
    """What all lanes of a scope share."""

    __slots__ = (
        "_sites",
        "cut",
        "imports",
        "limit_bytes",
        "seq",
        "size_bytes",
        "started_ns",
        "tainted",
    )

    def __init__(self, limit_bytes: int = 16 << 20) -> None:
        self.seq = 0
        self.size_bytes = 0
        self.limit_bytes = limit_bytes
        self.started_ns = _monotonic_ns()
        self.cut = False
        self.tainted = False
        self.imports = False
        self._sites: set[int] = set()

    def used_sites(self) -> list[int]:
        """Return the call sites seen."""
        return sorted(self._sites)


class Lane:
    """The ordered events of one thread or task, encoded as they are appended."""

    __slots__ = ("__weakref__", "_buffer", "busy", "events", "mode", "state")

    def __init__(self, state: ScopeState, mode: int) -> None:
        self.state = state
        self.mode = mode
        self.busy = 0
        self.events = 0
        self._buffer = bytearray()

    def record(self, kind: str, key: object, status: int, value: object, start_ns: int) -> int:
        """Append a hard event; return its number, or 0 when it was refused."""
        state = self.state
        if self.mode != RECORD or state.cut:
            return 0
        end_ns = _monotonic_ns()
        end_us = max(0, (end_ns - state.started_ns) // 1000)
        took_us = max(0, (end_ns - start_ns) // 1000)
        encoder = Encoder()
        rest = b"".join(encoder.value(part, 0) for part in (kind, status, key, value))
        seq = state.seq + 1
        data = b"\x97" + _pack(seq) + rest + _pack(end_us) + _pack(took_us)
        if not self._keep(data, encoder.tainted):
            return 0
        state.seq = seq
        return seq

    def call(
        self, kind: str, key: object, encode: Any, function: Callable[..., Any], *args: object
    ) -> Any:
        """Return what function(*args) returns, and append it, encoded, as a hard event."""
        start_ns, self.busy = _monotonic_ns(), self.busy + 1
        try:
            result = function(*args)
        except BaseException as error:
            self.busy -= 1
            _call_handlers[0](self, kind, key, error, start_ns)
            raise
        self.busy -= 1
        try:
            value = result if encode is None else encode(result)
            self.record(kind, key, 0, value, start_ns)
        except Exception as fault:  # noqa: BLE001  # told to the gate
            _call_handlers[1](self, kind, fault)
        return result

    def soft(self, kind: int, site: int, value: object) -> None:
        """Append a soft event."""
        if self.mode == RECORD and not self.state.cut:
            encoder = Encoder()
            data = b"\x93" + _pack(kind) + _pack(site) + encoder.value(value, 0)
            if self._keep(data, encoder.tainted):
                self.state._sites.add(site)

    def _keep(self, data: bytes, tainted: bool) -> bool:
        state = self.state
        if state.size_bytes + len(data) > state.limit_bytes:
            state.cut = True
            return False
        state.tainted = state.tainted or tainted
        state.size_bytes += len(data)
        self._buffer += data
        self.events += 1
        return True

    def data(self) -> bytes:
        """Return the events as bytes."""
        return bytes(self._buffer)

    def clear(self) -> None:
        """Switch it off and free its events."""
        self.mode = OFF
        self._buffer = bytearray()

    def serve(self, kind: int, code: CodeType | None, args: tuple[object, ...]) -> object:
        """Answer a hook on replay (override)."""
        raise NotImplementedError("only a subclass can serve recorded answers")

    def slept(self, seconds: object, error: BaseException | None, start_ns: int) -> None:
        """Record a sleep that has ended (override)."""


def current() -> Lane | None:
    """Return the lane to record or replay on, or None."""
    if not _armed or _here.exempt:
        return None
    lane = LANE.get()
    if lane is not None and lane is _here.parent and _here.child is not None:
        lane = _here.child
    if lane is not None and lane.mode in (RECORD, REPLAY) and not lane.busy:
        return lane
    return None


def arm(delta: int) -> int:
    """Change the number of open scopes; return it."""
    global _armed
    _armed += delta
    return _armed


def exempt(delta: int) -> int:
    """Change this thread's exemption count; return it."""
    _here.exempt += delta
    return _here.exempt


def bind_thread(parent: Lane | None, child: Lane | None) -> tuple[Lane | None, Lane | None]:
    """Let one lane mean another on this thread; return the pair that did before."""
    previous = (_here.parent, _here.child)
    _here.parent, _here.child = parent, child
    return previous


def set_call_handlers(error: Callable[..., None], fault: Callable[..., None]) -> None:
    """Set what `Lane.call` tells of exceptions: the call's own, and faults of ours."""
    global _call_handlers
    _call_handlers = (error, fault)


def now_ns() -> int:
    """Return the monotonic clock, never hooked."""
    return _monotonic_ns()


def lane_hook(original: Any, hook: Any, anywhere: bool = False) -> Any:
    """Return the hook: without C there is no shorter way past it."""
    return hook


def put_files(files: Sequence[tuple[str, str, str, str, bytes]]) -> list[bool]:
    """Do nothing: the store does it step by step."""
    return [False for _ in files]


_seen: Callable[[Lane, str, tuple[Any, ...]], None] | None = None
_audited = False


def watch(callable: Callable[[Lane, str, tuple[Any, ...]], None] | None) -> None:
    """Tell callable(lane, event, arguments) of what passes all boundaries; None for nobody."""
    global _seen, _audited
    _seen = callable
    if callable is not None and not _audited:
        _audited = True
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _armed or _seen is None or _here.exempt:
        return
    if event == OPEN:
        if isinstance(args[0], int) or not writes(args[1], args[2]):
            return
    elif event not in WORLD and event not in _MORE:
        return
    lane = current()
    if lane is not None and lane.mode == RECORD:
        _here.exempt += 1
        try:
            _seen(lane, event, args)
        finally:
            _here.exempt -= 1


encode = _fallback_encoder.encode
Finder = _fallback_finder.Finder
find_all = _fallback_texts.find_all
hard_events = _fallback_finder.hard_events
texts_at = _fallback_texts.texts_at
set_encode_fallback = _fallback_encoder.set_encode_fallback

# -- hooks


def set_importer(callable: Callable[[str], Any]) -> None:
    """Do nothing: here what an import asks is the request's."""


def set_pid(number: int) -> None:
    """Set whose process a replay is to pass for; 0 for its own."""
    global _pid
    _pid = number


def set_policy(callable: Callable[..., int]) -> None:
    """Set what decides whose reads are events."""
    global _policy
    _policy = callable
    _sites.clear()


def _site_of(code: CodeType, frame: FrameType | None = None) -> int:
    site = _sites.get(code)
    if site is None:
        site = _sites[code] = 0 if _policy is None else _policy(code)
    if frame is None or site not in (_ON_BEHALF, _FOR_CALLER):
        return site
    if site == _FOR_CALLER:
        while frame is not None and _site_of(frame.f_code) == _FOR_CALLER:
            frame = frame.f_back
        return -1 if frame is None else max(_site_of(frame.f_code), -1)
    while frame is not None and _site_of(frame.f_code) == _ON_BEHALF:
        frame = frame.f_back
    return -1 if frame is None or _policy is None else _policy(code, frame.f_code)


def _hook(number: int, kind: str, original: Any) -> Any:
    @functools.wraps(original)
    def hooked(*args: Any) -> Any:
        lane = current()
        if lane is None:
            asked = kind == "os.getpid" and _pid and not _here.exempt
            if asked and _site_of(sys._getframe(1).f_code) >= 0:
                return _pid
            return original(*args)
        frame = sys._getframe(1)
        code = frame.f_code
        site = _site_of(code, frame)
        if site < 0:
            return original(*args)
        if lane.mode == REPLAY:
            return lane.serve(number, code, args)
        start_ns = _monotonic_ns()
        try:
            result = original(*args)
        except BaseException as error:
            if kind == "time.sleep":
                lane.slept(args[0] if args else None, error, start_ns)
            else:
                lane.soft(number, site, error)
            raise
        if kind == "time.sleep":
            lane.slept(args[0], None, start_ns)
        else:
            lane.soft(number, site, result)
        return result

    return hooked


def install_clock_hooks() -> list[str]:
    """Replace the functions in their modules, and where they were imported by name."""
    if _originals:
        return list(_HOOKED)
    for number, kind in enumerate(SOFT_KINDS):
        home = _HOOKED.get(kind)
        name = kind.rpartition(".")[2]
        original = getattr(home, name, None)
        if home is None or original is None:
            continue
        hook = _hook(number, kind, original)
        for module in list(sys.modules.values()):
            if module is None or getattr(module, "__name__", "").startswith("retrace_"):
                continue
            for attribute, value in getattr(module, "__dict__", {}).copy().items():
                if value is original:
                    _originals.append((module, attribute, original))
                    setattr(module, attribute, hook)
    return list(_HOOKED)


def remove_clock_hooks() -> None:
    """Put the functions back."""
    while _originals:
        module, attribute, original = _originals.pop()
        setattr(module, attribute, original)


def hook_hash_type(kind: type, /) -> bool:
    """Hook no type: its slots are out of reach from here."""
    return False


def release_hash_types(*_: object) -> None:
    """Leave all types as they are; those of sets, too."""


order_sets = order_sets_while_armed = release_hash_types


def hook_status() -> dict[str, str]:
    """Return what is hooked, and what the fallback can't hook."""
    hooked = "hooked (module attribute only)" if _originals else "absent"
    return {kind: hooked if kind in _HOOKED else "absent" for kind in SOFT_KINDS}
