"""Program pipe: what goes to a running program, and what comes from it, is an event each time.

On replay the program is not there: what it said is read from the recording, and what it is
told goes nowhere.
"""

from __future__ import annotations

import io
from typing import IO, Any

from retrace_core.boundary import call
from retrace_core.checksum import checksum_of
from retrace_core.native import current

__all__ = ["ProgramPipe", "piped"]


class ProgramPipe(io.RawIOBase):
    """One end of a pipe whose other end a program has."""

    def __init__(self, stream: Any, name: str, command: object) -> None:
        super().__init__()
        self._stream = stream
        """The file that `subprocess` made; it is kept, for it closes its descriptor."""
        buffer = getattr(stream, "buffer", stream)
        self._raw = getattr(buffer, "raw", buffer)
        self._key = [command, name]

    def readable(self) -> bool:
        """Return True for what the program says."""
        return bool(self._raw.readable())

    def writable(self) -> bool:
        """Return True for what the program is told."""
        return bool(self._raw.writable())

    def fileno(self) -> int:
        """Return the descriptor."""
        return int(self._raw.fileno())

    def readinto(self, buffer: Any) -> int | None:
        """Read what the program said; 0 at its end, None where nothing is there yet."""
        lane = current()
        if lane is None:
            count: int | None = self._raw.readinto(buffer)
            return count
        view = memoryview(buffer).cast("B")
        said: bytes | None = call(
            lane, "subprocess.read", [*self._key, len(view)], lambda: self._raw.read(len(view))
        )
        if said is None:
            return None
        view[: len(said)] = said
        return len(said)

    def write(self, data: Any) -> int | None:
        """Tell the program something; return how many bytes it took."""
        lane = current()
        if lane is None:
            taken: int | None = self._raw.write(data)
            return taken
        told = bytes(data)
        key = [*self._key, told if len(told) <= io.DEFAULT_BUFFER_SIZE else checksum_of(told)]

        def live() -> int | None:
            taken: int | None = self._raw.write(told)
            return taken

        return call(lane, "subprocess.write", key, live)

    def close(self) -> None:
        """Close both this and the file that `subprocess` made."""
        if not self.closed:
            super().close()
            self._stream.close()


def piped(stream: IO[Any], name: str, command: object) -> IO[Any]:
    """Return a stream such as `subprocess` made, of which each read and write is an event.

    Args:
        stream: what `subprocess` made; nothing was read of it or written to it yet.
        name: stdin, stdout or stderr.
        command: what was started, as it stands in keys.
    """
    pipe: Any = ProgramPipe(stream, name, command)
    if isinstance(getattr(stream, "buffer", stream), io.BufferedReader):
        pipe = io.BufferedReader(pipe)
    elif isinstance(getattr(stream, "buffer", stream), io.BufferedWriter):
        pipe = io.BufferedWriter(pipe)
    if isinstance(stream, io.TextIOWrapper):
        pipe = io.TextIOWrapper(
            pipe,
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
    made: IO[Any] = pipe
    return made
