"""WSGI input: what an application reads of a request's body is kept, as it reads it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.scope import RecordingScope

__all__ = ["InputTee"]


class InputTee:
    """`wsgi.input`, with what the application reads kept as it is read; nothing is read ahead.

    Args:
        stream: the server's.
        recording_scope: keeps what was read.
    """

    def __init__(self, stream: Any, recording_scope: RecordingScope) -> None:
        self._stream = stream
        self._scope = recording_scope

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._stream, name)
        # Libraries look whether the stream has these two, which a server's may lack.
        if name == "readinto":
            return self._readinto
        return functools.partial(self._keep, asked) if name == "read1" else asked

    def _keep(self, read: Callable[..., bytes], *args: Any) -> bytes:
        try:
            data = read(*args)
        except Exception as error:
            self._scope.request_body_failed(error)
            raise
        if data:
            with failsafe.gate("request body"):
                self._scope.request_body(data)
        return data

    def read(self, *args: Any) -> bytes:
        """Return what the stream gives."""
        return self._keep(self._stream.read, *args)

    def readline(self, *args: Any) -> bytes:
        """Return the stream's next line."""
        return self._keep(self._stream.readline, *args)

    def _readinto(self, buffer: Any) -> int:
        filled: int = self._stream.readinto(buffer)
        with failsafe.gate("request body"):
            self._scope.request_body(bytes(memoryview(buffer)[:filled]))
        return filled

    def readlines(self, *args: Any) -> list[bytes]:
        """Return the stream's lines."""
        lines: list[bytes] = self._stream.readlines(*args)
        with failsafe.gate("request body"):
            for line in lines:
                self._scope.request_body(line)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line
