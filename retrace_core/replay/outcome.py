"""Outcome: what came out of the application as it was replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.files.file_access import with_recorded_folder
from retrace_core.recording import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_core.recording import Failure

__all__ = ["Outcome"]


class Outcome:
    """What came out of the application as it was replayed."""

    def __init__(self) -> None:
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
        self.body: list[bytes] = []
        self.messages: list[dict[str, Any]] = []
        """What the application sent on a web socket, in order of completion."""
        self.complete = False
        self.error: BaseException | None = None
        """The exception that left the application."""
        self.handled: BaseException | None = None
        """The first one that it handled, and logged as an error."""
        self.failure: Failure | None = None
        """Either of them, as it was when it was noticed."""
        self._grown = 0
        """By so many bytes the body was longer for it."""
        self.has_scratch = False
        """True where a path of the replay's scratch folder was said, as the recorded one."""

    def say(self, body: bytes) -> None:
        """Note a part of the body."""
        told = with_recorded_folder(body)
        if told != body:
            self.has_scratch = True
            self._grown += len(body) - len(told)
        self.body.append(told)

    def start(self, status: int, reason: str, headers: Iterable[tuple[Any, Any]]) -> None:
        """Note the status line and the headers, given as text or bytes."""
        self.status, self.reason = status, reason
        said = [(_text(name), _text(value)) for name, value in headers]
        self.headers = [(name, _as_recorded(value)) for name, value in said]
        self.has_scratch |= self.headers != said

    def response(self) -> Response | None:
        """Return it as a recorded response, or None when none was begun."""
        if not self.status:
            return None
        return Response(
            status=self.status,
            reason=self.reason,
            headers=[(name, self._length(name, value)) for name, value in self.headers],
            body=self.body,
            body_bytes=sum(map(len, self.body)),
            complete=self.complete,
            chunks=len(self.body),
        )

    def _length(self, name: str, value: str) -> str:
        if not self._grown or name.lower() != "content-length" or not value.isdecimal():
            return value
        return str(int(value) - self._grown)


def _as_recorded(value: str) -> str:
    data = value.encode("utf-8", "surrogateescape")
    return with_recorded_folder(data).decode("utf-8", "surrogateescape")


def _text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | bytearray) else str(value)
