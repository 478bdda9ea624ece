"""Auditing: who only reads recordings, by a fetch or a replay, leaves a line in the audit log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retrace_core.audit import audit
from retrace_core.cli.restart import MARKER
from retrace_core.cli.screen import note
from retrace_core.errors import StoreError
from retrace_core.settings import resolve
from retrace_core.store import DirectoryStore
from retrace_core.store.paths import split_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retrace_core.store import Store

__all__ = ["audit_reading", "audit_replay"]


def audit_reading(store: Store, action: str, paths: Sequence[str]) -> None:
    """Write down that somebody reads recordings.

    Who may read and not write is told that the line is missing, and no more: the cloud's own access
    log has it. But where RETRACE_AUDIT names a file, nothing is read without its line.

    Args:
        store: where they are.
        action: "fetch" or "replay".
        paths: their logical paths; of none there is no line.

    Raises:
        StoreError: the file that RETRACE_AUDIT names can't be written.
    """
    setting = resolve().audit
    if not paths:
        return
    try:
        audit(store, action, paths, setting=setting)
    except StoreError as error:
        if setting not in ("store", "off"):
            raise
        note(f"the audit log has no line of this {action}: {error}")


def audit_replay(file: Path) -> None:
    """Write down that a recording is replayed; a file that is in no store is nobody's.

    Args:
        file: the trace file.

    Raises:
        StoreError: the file that RETRACE_AUDIT names can't be written.
    """
    if MARKER in os.environ:
        return  # it was, before the process started itself again
    whole = os.path.abspath(file)
    path = "/".join(whole.split(os.sep)[-3:])
    if split_path(path) is not None:
        audit_reading(DirectoryStore(whole.removesuffix(path)), "replay", [path])
