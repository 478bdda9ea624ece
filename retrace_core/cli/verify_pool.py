"""Verify's pool: recordings replayed side by side, by workers that fork once for each.

A worker is for one application, one folder, one recorded hash seed and one way to start the
interpreter; recordings are put in that order, and whoever is free takes the next.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core.cli.restart import start_like
from retrace_core.cli.terms import Terms, unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from retrace_core.cli.restart import Start
    from retrace_core.recording import Environment

__all__ = ["ISOLATIONS", "Job", "default_isolation", "replay_all"]

ISOLATIONS = ("fork", "process", "none")
"""How recordings are kept apart: a copy of a process that has imported the application, a
process from scratch, or not at all."""

_GRACE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording to replay."""

    path: Path
    terms: Terms
    recorded: Environment
    otherwise: Terms | None = None
    """Under which it is replayed once more where it does not come out the same."""

    @property
    def worker(self) -> tuple[str, str, str, bool, str]:
        """What recordings must have in common to share a worker."""
        terms, seed = self.terms, self.recorded.hash_seed
        return terms.app_dir, terms.app, seed, terms.warm, repr(self.recorded.interpreter)


def default_isolation() -> str:
    """Return "fork" where forking is sound, else "process"."""
    return "fork" if sys.platform.startswith("linux") else "process"


def replay_all(
    jobs: Sequence[Job],
    *,
    at_once: int,
    done: Callable[[dict[str, Any]], None],
    stop: threading.Event | None = None,
) -> list[dict[str, Any]]:
    """Replay all and return their documents in order.

    Args:
        jobs: what to replay.
        at_once: how many at the same time.
        done: called with each document as it comes, on the calling thread.
        stop: when it is set, no more are begun.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for place in sorted(range(len(jobs)), key=lambda place: jobs[place].worker):
        waiting.put(place)
    finished: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
    ended = stop or threading.Event()

    def work() -> None:
        worker = _Worker()
        try:
            while not ended.is_set():
                try:
                    place = waiting.get_nowait()
                except queue.Empty:
                    return
                finished.put((place, worker.replay(jobs[place])))
        finally:
            worker.end()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(jobs)))]
    for thread in threads:
        thread.start()
    documents: dict[int, dict[str, Any]] = {}
    try:
        while len(documents) < len(jobs):
            try:
                place, document = finished.get(timeout=0.5)
            except queue.Empty:
                if not any(thread.is_alive() for thread in threads) and finished.empty():
                    break  # stopped
                continue
            documents[place] = document
            done(document)
    except BaseException:
        ended.set()
        raise
    for thread in threads:
        thread.join()
    return [documents[place] for place in sorted(documents)]


class _Worker:
    """A worker process, made anew for each group of recordings."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._of: tuple[str, str, str, bool, str] | None = None

    def replay(self, job: Job) -> dict[str, Any]:
        """Return the document of one recording."""
        path = str(job.path.absolute())
        began = time.monotonic()
        document = self._replay(job, path)
        if job.otherwise is not None and not document["exact"]:
            again = _replay_from_scratch(path, job.otherwise, start_like(job.recorded))
            document = again if again["exact"] else document
        document["took_s"] = round(time.monotonic() - began, 4)
        return document

    def _replay(self, job: Job, path: str) -> dict[str, Any]:
        try:
            if job.terms.isolate == "process":
                return _replay_from_scratch(path, job.terms, start_like(job.recorded))
            if self._of != job.worker:
                self._start(job)
            return self._ask(path, job.terms)
        except Exception as error:  # one recording of many: the others go on
            self.end()
            return unusable(path, f"its worker failed: {type(error).__name__}: {error}")

    def _start(self, job: Job) -> None:
        self.end()
        start = start_like(job.recorded)
        self._process = subprocess.Popen(
            [sys.executable, *start.options, "-m", "retrace_core.cli.verify_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=start.environ or dict(os.environ),
        )
        self._of = job.worker
        self._write(msgspec.json.encode(job.terms))

    def _write(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def _ask(self, path: str, terms: Terms) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        # A worker watches its children; this watches a worker, and the import it begins with.
        limit = threading.Timer(2 * terms.timeout_s + _GRACE_S, process.kill)
        limit.daemon = True
        limit.start()
        try:
            self._write(json.dumps(path).encode())
            line = process.stdout.readline()
        finally:
            limit.cancel()
        if not line.endswith(b"\n"):
            self.end()
            return unusable(path, f"its worker ended with status {process.returncode}")
        document: dict[str, Any] = json.loads(line)
        return document

    def end(self) -> None:
        """End the process."""
        process, self._process, self._of = self._process, None, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # it is gone already
        process.kill()
        process.wait()


def _replay_from_scratch(path: str, terms: Terms, start: Start) -> dict[str, Any]:
    from retrace_core.cli.replayed import warmer

    document = _replay_apart(path, terms, start)
    for which in warmer(path, terms, document):
        again = _replay_apart(path, msgspec.structs.replace(terms, earlier=which), start)
        if again["exact"]:
            return again
    return document


def _replay_apart(path: str, terms: Terms, start: Start) -> dict[str, Any]:
    """Return the document of a recording that was replayed in a process from scratch."""
    worker = msgspec.structs.replace(terms, isolate="none")
    given = msgspec.json.encode(worker) + b"\n" + json.dumps(path).encode() + b"\n"
    try:
        done = subprocess.run(
            [sys.executable, *start.options, "-m", "retrace_core.cli.verify_worker"],
            input=given,
            capture_output=True,
            check=False,
            timeout=terms.timeout_s,
            env=start.environ,
        )
    except subprocess.TimeoutExpired:
        why = f"the replay took longer than {terms.timeout_s:g} s; give it more with --timeout"
        return unusable(path, why)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return unusable(path, f"its process ended with status {done.returncode}; replay it alone")
    return document
