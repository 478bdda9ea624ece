"""Soft answers: recorded clock and entropy reads, given back by lane, kind and call site.

How often a clock is read may differ between the recording and the replay (a warm cache, a
changed line of code), so that one read too many or too few is no divergence: a read that was
not recorded is answered from the last one (time goes on), and noted.
"""

from __future__ import annotations

import datetime
import os
import random
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any

from retrace_core.codec import PackedException, unpack_exception
from retrace_core.exempt import BEHALF
from retrace_core.recording import SoftEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_core.recording import Header, LaneEvents

__all__ = ["SoftAnswers", "soft_answers"]

_STEP_S = 1e-6
_STEP_NS = 1_000


class SoftAnswers:
    """The clock and entropy reads of one lane, to be given back.

    Args:
        events: what was recorded in the lane.
        started_ns: Unix time of the recording, for clocks of which nothing was recorded.
        seed: makes up entropy of which nothing was recorded, the same in each replay.
        host: name of the machine that recorded, "" where it is not known. Code asks for it once
            in a process, and the recording of a later request has only what was made of it.
        pid: number of the process that recorded, 0 where it is not known.
    """

    def __init__(
        self, events: Iterable[object], *, started_ns: int, seed: str, host: str = "", pid: int = 0
    ) -> None:
        self._host, self._pid = host or "localhost", pid or 1
        self._queues: dict[tuple[str, str], deque[Any]] = {}
        self._last: dict[str, Any] = {}
        self._started_ns = started_ns
        self._made_up = random.Random(seed)  # noqa: S311
        self.extra: list[tuple[str, str]] = []
        for event in events:
            if isinstance(event, SoftEvent):
                self._queues.setdefault((event.kind, event.site), deque()).append(event.value)
                if not isinstance(event.value, PackedException):
                    self._last.setdefault(event.kind, event.value)

    def answer(self, kind: str, site: str, args: tuple[Any, ...]) -> object:
        """Return what `kind` answers to the function `site`, rebuilt for its arguments."""
        queue = self._queues.get(self._asked(kind, site))
        if queue and _fits(kind, args, queue[0]):
            value = queue.popleft()
            if isinstance(value, PackedException):
                raise unpack_exception(value.packed, {})
            self._last[kind] = value
        else:
            self.extra.append((kind, site))
            value = self._extra(kind, args)
        return rebuild(kind, value, args)

    def is_empty(self) -> bool:
        """Return True where nothing is left to be given back."""
        return not any(self._queues.values())

    def _asked(self, kind: str, site: str) -> tuple[str, str]:
        """Return under which name a read was recorded; earlier versions left out who asked."""
        if BEHALF in site and (kind, site) not in self._queues:
            return kind, site.partition(BEHALF)[0]
        return kind, site

    def _extra(self, kind: str, args: tuple[Any, ...]) -> object:
        # The clocks that answer ran: the ones hooked here are asked with their lane masked.
        if kind in _ENTROPY:
            return self._draw(kind, args)
        value = self._last.get(kind)
        if value is None:
            value = self._unrecorded(kind)
        elif isinstance(value, float):
            value += _STEP_S
        elif isinstance(value, int) and kind.endswith("_ns"):
            value += _STEP_NS
        elif isinstance(value, datetime.datetime):
            value += datetime.timedelta(microseconds=1)
        self._last[kind] = value
        return value

    def _draw(self, kind: str, args: tuple[Any, ...]) -> object:
        if kind == "random.random":
            return self._made_up.random()
        if kind == "uuid.uuid1":  # as libuuid makes one: its bytes, and whether that was safe
            return [uuid.UUID(int=self._made_up.getrandbits(128), version=1).bytes, -1]
        size = args[0] if args and isinstance(args[0], int) else 16
        if kind == "random.getrandbits":
            return self._made_up.getrandbits(size) if size else 0
        return self._made_up.randbytes(size)

    def _unrecorded(self, kind: str) -> object:
        moment = datetime.datetime.fromtimestamp(self._started_ns / 1e9, datetime.UTC)
        naive = moment.replace(tzinfo=None)
        seconds = self._started_ns / 1e9
        made: dict[str, object] = {
            "datetime.now": naive,
            "datetime.utcnow": naive,
            "date.today": naive,
            "datetime.today": naive,
            "time.localtime": list(time.gmtime(seconds)),
            "time.gmtime": list(time.gmtime(seconds)),
            "time.strftime": time.strftime("%Y-%m-%d", time.gmtime(seconds)),
            "time.ctime": time.asctime(time.gmtime(seconds)),
            "time.asctime": time.asctime(time.gmtime(seconds)),
            "time.sleep": None,
            "os.getpid": self._pid,
            "os.getppid": 1,
            "socket.gethostname": self._host,
            "os.uname": [*os.uname()[:1], self._host, *os.uname()[2:]],
        }
        if kind in made:
            return made[kind]
        return self._started_ns if kind.endswith("_ns") else seconds


_ENTROPY = frozenset(
    {
        *("os.urandom", "os.getrandom", "ssl.RAND_bytes", "random.random"),
        *("random.getrandbits", "uuid.uuid1"),
    }
)


def _fits(kind: str, args: tuple[Any, ...], value: object) -> bool:
    """Return False when the recorded draw is of another size than the one asked for."""
    if not args or not isinstance(args[0], int) or isinstance(value, PackedException):
        return True
    if kind == "random.getrandbits":
        return isinstance(value, int) and value.bit_length() <= args[0]
    if kind in ("os.urandom", "ssl.RAND_bytes"):
        return isinstance(value, bytes) and len(value) == args[0]
    return True


def rebuild(kind: str, value: Any, args: tuple[Any, ...]) -> object:
    """Return a recorded value as the type that the caller expects.

    Args:
        kind: what was read.
        value: as decoded.
        args: the caller's arguments; for `datetime`'s class methods the class comes first.
    """
    if kind in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today"):
        return _moment(value, args)
    if kind in ("time.localtime", "time.gmtime"):
        return time.struct_time(value)
    if kind == "os.uname":
        return os.uname_result(value)
    return tuple(value) if isinstance(value, list) else value


def _moment(value: Any, args: tuple[Any, ...]) -> object:
    cls: Any = args[0]
    zone = args[1] if len(args) > 1 else None
    if not issubclass(cls, datetime.datetime):
        return cls(value.year, value.month, value.day)
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    fields = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    return cls(*fields, value.microsecond, tzinfo=zone, fold=value.fold)


def soft_answers(header: Header, lane: LaneEvents | None = None) -> SoftAnswers:
    """Return the answers of one lane of a recording; None for a lane that it has not."""
    return SoftAnswers(
        lane.events if lane is not None else (),
        started_ns=header.started_ns,
        seed=f"{header.span_id}/{lane.id if lane is not None else '?'}",
        host=header.environment.host,
        pid=header.environment.pid,
    )
