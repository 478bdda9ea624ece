"""Sandbox: during replay an audit hook refuses the live world.

Refused are sockets (connect, bind, name look-ups, datagrams), processes, database files, and
files opened for writing outside the folders that are allowed. Audit hooks can't be removed
again, so there is one for the process, and it is switched on for the time of a replay.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from retrace_core.concurrency.server_threads import serves_process
from retrace_core.coverage.asking_line import asking_line
from retrace_core.coverage.audit_events import (
    DEVICES,
    FILE_EVENTS,
    LINKS,
    NAMES,
    OPEN,
    WORLD,
    absolute,
    is_harmless,
    writes,
)
from retrace_core.databases.sqlite.memory import is_private
from retrace_core.errors import LiveCallRefused
from retrace_core.files.temporary_folder import in_scratch, temporary_folder
from retrace_core.live_call import any_live, is_live
from retrace_core.native import LANE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Refusal", "closed_world", "unheard"]

_installed = False
_allowed: tuple[str, ...] | None = None
"""Folders that may be written to while closed; None while the world is open."""


class Refusal(NamedTuple):
    """A live call that was tried."""

    what: str
    """In words."""
    scope: object
    """The replay that tried it; None for what belongs to none."""
    own: bool = False
    """A thread that serves the process tried it, a tracer's say."""


_refusals: list[Refusal] = []
_counts = True


@contextmanager
def closed_world(allow_write: Sequence[str] = ()) -> Iterator[list[Refusal]]:
    """Refuse live calls while the block runs.

    Args:
        allow_write: folders below which files may be written; a private scratch folder is
            always allowed (it is `tempfile.gettempdir()` inside).

    Yields:
        What was refused, as it happens: the list grows.
    """
    global _allowed, _installed, _refusals
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    # Not below one that the application has set: that is of the world.
    folder = tempfile.TemporaryDirectory(prefix="retrace-scratch-", dir=temporary_folder())
    with folder as scratch, in_scratch(scratch):
        refusals: list[Refusal] = []
        _refusals = refusals
        _allowed = tuple(os.path.realpath(folder) for folder in (scratch, *allow_write))
        try:
            yield refusals
        finally:
            _allowed = None


@contextmanager
def unheard() -> Iterator[None]:
    """Refuse live calls, and don't count them, while the block runs: it is after the request."""
    global _counts
    _counts = False
    try:
        yield
    finally:
        _counts = True


def _audit(event: str, args: tuple[Any, ...]) -> None:
    allowed = _allowed
    if allowed is None or is_live():
        return
    if event == "socket.getaddrinfo" and any_live():
        return  # an event loop looks names up on a thread of its own
    if event == OPEN:
        path, mode, flags = args
        if isinstance(path, (str, bytes, os.PathLike)) and writes(mode, flags):
            _check_path("open for writing", path, allowed)
    elif event == "sqlite3.connect":
        if args and args[0] not in (":memory:", b":memory:", "") and not is_private(args[0]):
            _refuse(event, str(args[0]))
    elif event in FILE_EVENTS:
        path = absolute(event, args)
        if not _is_made(event, path):
            _check_path(event, path, allowed, itself=event in NAMES)
    elif event in LINKS:
        for path in args[LINKS[event]]:
            _check_path(event, path, allowed, itself=event == "os.symlink")
    elif event in WORLD:
        if is_harmless(event, args):
            return
        target = args[1] if event.startswith("socket.") and len(args) > 1 else args[:1]
        _refuse(event, str(target))


def _is_made(event: str, path: object) -> bool:
    """Return True for a folder that is to be made and is there: that changes nothing.

    Settings make sure of all their folders, with that of the code among them.
    """
    return event == "os.mkdir" and isinstance(path, (str, bytes)) and os.path.lexists(path)


def _check_path(
    operation: str, path: object, allowed: tuple[str, ...], *, itself: bool = False
) -> None:
    """Refuse what is not in an allowed folder.

    Args:
        operation: what is done.
        path: to what.
        allowed: folders.
        itself: True where it is done to a link, and not to what that leads to.
    """
    if isinstance(path, int):
        return
    text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
    if text.startswith(DEVICES):
        return
    real = os.path.realpath(text)
    if itself and os.path.islink(text):
        real = os.path.join(os.path.realpath(os.path.dirname(text)), os.path.basename(text))
    if not any(real == folder or real.startswith(folder + os.sep) for folder in allowed):
        _refuse(operation, text)


def _refuse(operation: str, target: str) -> None:
    where = asking_line()
    at = f" at {where.file}:{where.line}" if where else ""
    if _counts:
        scope = getattr(LANE.get(), "scope", None)
        own = scope is None and serves_process(threading.current_thread())
        _refusals.append(Refusal(f"{operation} to {target}{at}", scope, own))
    raise LiveCallRefused(operation, target)
