"""Verify's worker: a process that has the application imported, and forks once per recording.

On standard input it reads its terms and then the paths of recordings, each a line of JSON,
and answers with a line of JSON each on standard output. What the application prints goes
nowhere. With `isolate` "none" recordings are replayed in this process, one after another.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
from msgspec import structs

from retrace_core import installer, native
from retrace_core.boundary import replay_began
from retrace_core.cli.mismatch import mismatches
from retrace_core.cli.replayed import replayed, warmer
from retrace_core.cli.restart import forget_restart, is_debugged
from retrace_core.cli.terms import Terms, unusable
from retrace_core.errors import RetraceError
from retrace_core.replay.application import load_app
from retrace_core.replay.no_network import leave_network
from retrace_core.replay.sandbox import closed_world
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["main"]

_BYTES = 1 << 16
_LAST_WORDS = 400


def main() -> NoReturn:
    """Serve until standard input ends."""
    forget_restart()
    os.environ["RETRACE"] = "0"
    sys.dont_write_bytecode = True
    sys.argv = ["retrace"]
    answers, said = _streams()
    jobs = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    terms = msgspec.json.decode(jobs.readline(), type=Terms)
    if not is_debugged():
        leave_network()
    if terms.isolate == "fork" and terms.warm:
        _warm(terms)

    def say(answer: bytes) -> None:
        answers.write(answer + b"\n")
        answers.flush()

    def last(document: dict[str, Any]) -> NoReturn:
        say(json.dumps(document).encode())
        os._exit(0)

    for line in jobs:
        path: str = json.loads(line)
        if terms.isolate == "fork":
            answer = _in_child(path, terms, said)
            for which in warmer(path, terms, json.loads(answer)):
                again = _in_child(path, structs.replace(terms, earlier=which), said)
                if json.loads(again)["exact"]:
                    answer = again
                    break
        else:
            answer = json.dumps(replayed(path, terms, last=last)).encode()
        say(answer)
    os._exit(0)


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the stream for answers, and the file that holds what the application prints."""
    answers = os.fdopen(os.dup(1), "wb")
    said = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
    for number in (1, 2):
        os.dup2(said.fileno(), number)
    return answers, said


def _warm(terms: Terms) -> None:
    """Import the application, so that no child has to, where a fork can't tell the difference.

    A thread would not be there in a child, nor would a file in the scratch folder; what fails
    fails again in each child, which says why. Then at least our own code is imported.
    """
    if threading.active_count() > 1:
        return
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # tried in a child first: whatever the import leaves behind goes with it
        os.write(writer, b"1" if _imports_without_trace(terms) else b"0")
        os._exit(0)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], terms.timeout_s)
    clean = bool(ready) and os.read(reader, 1) == b"1"
    os.close(reader)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if clean:
        _imports_without_trace(terms)
        gc.freeze()  # the collector of a child leaves alone what it shares with its parent


def _imports_without_trace(terms: Terms) -> bool:
    installer.install()
    replay_began(1)
    native.arm(1)
    try:
        with closed_world() as refused:
            load_app(terms.app, terms.app_dir)
            left = os.listdir(tempfile.gettempdir())
        return not left and not refused and _threads() == 1
    except (RetraceError, Exception):  # noqa: BLE001  # each child will say so
        return False
    finally:
        native.arm(-1)
        replay_began(-1)


def _threads() -> int:
    """Return how many threads there are, those of C code too where that is known."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()


def _in_child(path: str, terms: Terms, said: BinaryIO) -> bytes:
    """Return the answer of a fresh copy of this process."""
    said.seek(0)
    said.truncate()
    with contextlib.suppress(RetraceError):  # looked up once, for all that are to be forked
        mismatches(load_header(path).environment, terms.app_dir)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer_and_leave(path, terms, writer)
    os.close(writer)
    answer, late = _read_all(reader, time.monotonic() + terms.timeout_s)
    os.close(reader)
    if late:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if late:
        why = f"the replay took longer than {terms.timeout_s:g} s; give it more with --timeout"
        return json.dumps(unusable(path, why)).encode()
    if not answer.endswith(b"\n"):
        said.seek(0)
        last = said.read()[-_LAST_WORDS:].decode("utf-8", "replace").strip().split("\n")[-1]
        why = f"its process ended with status {os.waitstatus_to_exitcode(status)}: {last}"
        return json.dumps(unusable(path, f"{why}; replay it alone")).encode()
    return answer.rstrip(b"\n")


def _answer_and_leave(path: str, terms: Terms, writer: int) -> NoReturn:
    def leave(document: dict[str, Any]) -> NoReturn:
        data = json.dumps(document).encode() + b"\n"
        while data:
            data = data[os.write(writer, data) :]
        os._exit(0)

    try:
        leave(replayed(path, terms, last=leave))
    except BaseException as error:  # noqa: BLE001  # the parent reads it from the file
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(70)


def _read_all(reader: int, deadline: float) -> tuple[bytes, bool]:
    """Return what comes until the writer closes, and whether that took too long."""
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return b"".join(parts), True
        part = os.read(reader, _BYTES)
        parts.append(part)
        if not part or part.endswith(b"\n"):
            return b"".join(parts), False


if __name__ == "__main__":
    main()
