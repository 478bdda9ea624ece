"""Auditing: a replay leaves a line in the audit log of the folder that the recording is in."""

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
    from pathlib import Path

__all__ = ["audit_replay"]


def audit_replay(file: Path) -> None:
    """Write down that a recording is replayed; a file that is in no store is nobody's.

    A folder that can't be written is told of and no more; but where RETRACE_AUDIT names a file,
    nothing is replayed without its line.

    Args:
        file: the trace file.

    Raises:
        StoreError: the file that RETRACE_AUDIT names can't be written.
    """
    if MARKER in os.environ:
        return  # it was, before the process started itself again
    whole = os.path.abspath(file)
    path = "/".join(whole.split(os.sep)[-3:])
    setting = resolve().audit
    if split_path(path) is None:
        return
    try:
        store = DirectoryStore(whole.removesuffix(path))
        audit(store, "replay", [path], setting=setting)
    except StoreError as error:
        if setting != "store":
            raise
        note(f"the audit log has no line of this replay: {error}")
