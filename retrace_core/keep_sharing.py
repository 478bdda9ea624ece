"""Keep sharing: tells neighbours of traces that are kept here, and finds out of theirs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from retrace_core import failsafe, writer
from retrace_core.errors import ConfigurationError
from retrace_core.forked import after_fork
from retrace_core.ids import names_trace
from retrace_core.native import now_ns
from retrace_core.stats import count
from retrace_core.store import DirectoryStore
from retrace_core.store.keep_list import KeepList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.store import Store

__all__ = ["kept_elsewhere", "on_keep", "share", "trace_kept"]

_MOST_WAITING = 10_000

_keep_list: KeepList | None = None
_callbacks: list[Callable[[str, str], object]] = []
_waiting: deque[tuple[str, str, str]] = deque(maxlen=_MOST_WAITING)


def share(store: Store | None) -> None:
    """Share keeps by a store from now on, or (None) not by a store.

    Raises:
        ConfigurationError: the store can't hold a keep list.
    """
    global _keep_list
    if store is None:
        _keep_list = None
        return
    if not isinstance(store, DirectoryStore):
        raise ConfigurationError("share_keeps", True, "false, and on_keep, for this kind of store")
    if _keep_list is None or _keep_list.folder != KeepList(store.root).folder:
        _keep_list = KeepList(store.root)


def on_keep(callback: Callable[[str, str], object]) -> Callable[[], None]:
    """Have `callback(trace_id, reason)` called for each trace that a tail decision keeps here.

    It is called on the writer's thread, and should hand the id on quickly: to a queue, a
    channel, whatever reaches the neighbours. There, `save_recent(reason, trace_id=...)` saves
    what is held of the trace.

    Returns:
        A function that takes the callback out again.
    """
    _callbacks.append(callback)

    def remove() -> None:
        if callback in _callbacks:
            _callbacks.remove(callback)

    return remove


def trace_kept(trace: str, service: str, reason: str) -> None:
    """Take note that a trace is kept; it is published by the writer's thread."""
    if _keep_list is None and not _callbacks:
        return
    _waiting.append((trace, service, reason))
    if len(_waiting) == 1:  # else whoever put the first has seen to it, or it is being emptied
        writer.park(now_ns(), _publish)


def kept_elsewhere(traces: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (trace, reason) for those of `traces` that are on the keep list."""
    if _keep_list is None:
        return
    for trace in sorted(traces & _keep_list.look()):
        yield trace, f"{_keep_list.publisher(trace) or 'a neighbour'} keeps this trace"


def _publish() -> None:
    while _waiting:
        trace, service, reason = _waiting.popleft()
        if _keep_list is not None and names_trace(trace):
            with failsafe.gate("keep list"):
                _keep_list.publish(trace, service)
                count("keeps.published")
        for callback in list(_callbacks):
            with failsafe.gate("on_keep"):
                callback(trace, reason)


after_fork(_waiting.clear)
