"""Words: recorded values, times and sizes as short text for the eye, whatever they are."""

from __future__ import annotations

import re
import reprlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from retrace_core.task_call import METHOD as TASK
from retrace_core.task_call import TASK_WORDS

if TYPE_CHECKING:
    from retrace_core.codec import Opaque, PackedException
    from retrace_core.recording import Event

__all__ = [
    "call_words",
    "compact_sql",
    "cut",
    "duration",
    "exception_words",
    "key_words",
    "local_time",
    "outcome_words",
    "plural",
    "size",
    "value_words",
]

_SPACE = re.compile(r"\s+")
_HUGE_BITS = 4096
"""Python refuses to print larger numbers in decimal."""


class _Repr(reprlib.Repr):
    """A repr that is bounded in depth and length, and never fails."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.maxlevel = 8
        self.maxstring = self.maxother = self.maxlong = limit
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = max(8, limit // 8)

    def repr_int(self, x: int, level: int) -> str:
        return hex(x)[:40] + "…" if x.bit_length() > _HUGE_BITS else repr(x)

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x) if len(x) <= 32 else f"{x[:24]!r}… ({size(len(x))})"

    def repr_Opaque(self, x: Opaque, level: int) -> str:  # noqa: N802  # reprlib's naming
        return f"<not recorded: {x.type}>"

    def repr_PackedException(self, x: PackedException, level: int) -> str:  # noqa: N802
        return exception_words(x.packed)


def value_words(value: Any, limit: int = 120) -> str:
    """Return any recorded value as text on one line.

    Args:
        value: as decoded from a recording.
        limit: how long it may be, in characters.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else _Repr(limit).repr(value)
    return cut(_SPACE.sub(" ", text), limit)


def exception_words(packed: Any) -> str:
    """Return a packed exception as "Class: message"."""
    if not isinstance(packed, list | tuple) or len(packed) < 2:
        return "an exception"
    names, args = packed[0], packed[1]
    name = str(names[0]) if isinstance(names, list | tuple) and names else "exception"
    parts = args if isinstance(args, list | tuple) else [args]
    message = ", ".join(value_words(part, 300) for part in parts)
    return f"{name.removeprefix('builtins.')}: {message}".rstrip(": ")


def compact_sql(text: str) -> str:
    """Return SQL on one line."""
    return _SPACE.sub(" ", text).strip()


def cut(text: str, limit: int) -> str:
    """Return `text`, or its beginning and "…" when it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def duration(microseconds: float) -> str:
    """Return a time span in the unit that suits it."""
    if abs(microseconds) < 1000:
        return f"{microseconds:.0f} µs"
    if abs(microseconds) < 1e6:
        return f"{microseconds / 1e3:.1f} ms"
    return f"{microseconds / 1e6:.2f} s"


def size(count: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    if abs(count) < 1000:
        return f"{count} B"
    amount, unit = count / 1e3, "kB"
    for larger in ("MB", "GB", "TB"):
        if abs(amount) < 1000:
            break
        amount, unit = amount / 1e3, larger
    return f"{amount:.1f} {unit}"


def local_time(unix_ns: int, *, precise: bool = False) -> str:
    """Return a Unix time in nanoseconds as local time, "?" for one that no calendar has.

    Args:
        unix_ns: the time.
        precise: with milliseconds and the offset from UTC.
    """
    try:
        moment = datetime.fromtimestamp(unix_ns / 1e9, UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return "?"
    if precise:
        return moment.isoformat(sep=" ", timespec="milliseconds")
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def plural(count: int, noun: str) -> str:
    """Return "1 row", "3 rows"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


def call_words(event: Event, limit: int = 160) -> str:
    """Return what a recorded call asked: SQL on one line with its parameters, a URL, a key."""
    return key_words(event.kind, event.key, limit)


def key_words(kind: str, key: Any, limit: int = 160) -> str:
    """Return what a call of `kind` asked, by its key."""
    if isinstance(key, list | tuple) and len(key) == 2 and isinstance(key[0], str):
        if kind.startswith(("http.", "httpx.")):
            return cut(key[0], limit)  # the second is the checksum of the body
        parameters = value_words(key[1], max(40, limit // 3))
        return f"{cut(compact_sql(key[0]), limit)}  {parameters}".rstrip()
    return cut(compact_sql(key), limit) if isinstance(key, str) else value_words(key, limit)


def outcome_words(method: str, status: int, error: str) -> str:
    """Return the status and the name of the exception, if there was one; of a task in words.

    Args:
        method: of the request.
        status: of the response; 0 when none was sent.
        error: class name of the exception that left the application, or "".
    """
    if method == TASK:
        said = TASK_WORDS.get(status, str(status))
    else:
        said = str(status) if status else "no response"
    return f"{said} {error.rsplit('.', 1)[-1]}".rstrip()
