"""Audit: who fetched, shared, replayed or deleted recordings, when, and from where.

One line of JSON for each time. By default it is a blob of its own below `.audit/<day>/` in the
store that it is about, for object stores can't append; with `RETRACE_AUDIT=FILE` it is appended to
a file of this machine instead.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from retrace_core.errors import NotStored, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.store import Store

__all__ = ["audit", "audited", "host", "who"]

_FOLDER = ".audit"
_MOST_PATHS = 1000


def who() -> str:
    """Return the user of the operating system; behind sudo also who called it."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    caller = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo of {caller})" if caller else name


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def audit(
    store: Store, action: str, paths: Sequence[str], *, setting: str = "store", **more: Any
) -> None:
    """Write one line: somebody did something with recordings.

    Args:
        store: where these are.
        action: "fetch", "share", "replay", "prune", "erase", "keep", ...
        paths: their logical paths; of more than a thousand, the first ones and their number.
        setting: RETRACE_AUDIT: "store", "off", or a file.
        more: what else is to be known.

    Raises:
        StoreError: the line can't be written; what is to be audited must not be done then.
    """
    if setting == "off":
        return
    now_ns = time.time_ns()
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    line = {
        "at": now.isoformat(timespec="milliseconds"),
        "action": action,
        "by": who(),
        "host": host(),
        "store": store.url,
        "count": len(paths),
        "paths": list(paths[:_MOST_PATHS]),
        **more,
    }
    data = (json.dumps(line, ensure_ascii=True) + "\n").encode()
    if setting != "store":
        _append(setting, data)
        return
    key = f"{_FOLDER}/{now:%Y-%m-%d}/{now_ns}-{secrets.token_hex(4)}.jsonl"
    if not store.blobs.put(key, data):
        raise StoreError(f"the audit log has {key} already; nothing was done, try again")


def _append(file: str, data: bytes) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, data)  # at once: lines of several processes do not mix
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(
            f"the audit log {file} can't be written ({error.strerror}), so nothing was done; check"
            " RETRACE_AUDIT"
        ) from None


def audited(store: Store, *, since_ns: int = 0, setting: str = "store") -> Iterator[dict[str, Any]]:
    """Yield the lines of the audit log, the oldest first; what is no line of ours is passed over.

    Args:
        store: what they are about.
        since_ns: not before, in Unix nanoseconds.
        setting: RETRACE_AUDIT.

    Raises:
        StoreError: it can't be read.
    """
    if setting not in ("store", "off"):
        try:
            with open(setting, encoding="utf-8", errors="replace") as file:
                lines = list(file)
        except OSError as error:
            raise StoreError(f"the audit log {setting} can't be read ({error.strerror})") from None
    else:
        lines = []
        since = datetime.fromtimestamp(max(0, since_ns) / 1e9, UTC).strftime("%Y-%m-%d")
        for blob in sorted(store.blobs.list(_FOLDER), key=lambda one: one.key):
            if blob.key.split("/")[1] < since:
                continue
            try:
                lines.append(store.blobs.get(blob.key).decode("utf-8", "replace"))
            except NotStored:
                continue
    for line in lines:
        try:
            found = json.loads(line)
            at_ns = datetime.fromisoformat(found["at"]).timestamp() * 1e9
        except (ValueError, KeyError, TypeError):
            continue
        if at_ns >= since_ns:
            yield found
