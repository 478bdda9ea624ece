"""Toggle under load: recording is switched off and on while two gunicorn workers serve.

`python -m benchmarks.toggle [--rate N]` sends 500 requests a second to a Flask application
under two workers, switches by each means, and prints how many requests failed (none may) and
after how long the last request was answered the old way (5 s at most), over all workers.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.rounds import option
from benchmarks.unlimited import UNLIMITED
from tests.server_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALLOWED_S = 5.0
_SETTLED_S = 1.5
"""A change has settled when for so long nothing was answered the old way."""
_PER_CONNECTION = 25
_POLL_S = 1
"""How often LaunchDarkly's SDK looks at its file, in seconds."""


def make_app() -> Any:
    """Return the application; each answer is the worker's process id."""
    import flask

    from retrace_mw import RetraceMiddleware

    app = flask.Flask("toggle")
    app.add_url_rule("/", view_func=lambda: str(os.getpid()))
    decide: Any = None
    if "TOGGLE_FLAGS" in os.environ:
        from retrace_mw.deciders import FileFlag

        decide = FileFlag("record-request", path=os.environ["TOGGLE_FLAGS"], default="no")
    if "TOGGLE_LAUNCHDARKLY" in os.environ:
        decide = launchdarkly_flag(os.environ["TOGGLE_LAUNCHDARKLY"])
    app.wsgi_app = RetraceMiddleware(app.wsgi_app, decide=decide)  # type: ignore[method-assign]
    return app


def launchdarkly_flag(path: str) -> Any:
    """Return a decider by LaunchDarkly's SDK, which reads its flags from a file, and again."""
    import ldclient
    from ldclient.integrations import Files

    from retrace_mw.deciders import LaunchDarklyFlag

    source = Files.new_data_source(
        [path], auto_update=True, poll_interval=_POLL_S, force_polling=True
    )
    ldclient.set_config(ldclient.Config("key", update_processor_class=source, send_events=False))
    ldclient.get()
    return LaunchDarklyFlag("record-request", default="no")


class Switch(Protocol):
    """A means of switching recording off and on while it runs."""

    environment: dict[str, str]
    """What the server is started with."""

    def off(self) -> None:
        """Switch it off."""
        ...

    def on(self) -> None:
        """Switch it on."""
        ...


def replaced(path: Path, text: str) -> None:
    """Replace a file in one step."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


class FileSwitch:
    """`enabled = false` in a settings file that is replaced in one step."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "retrace.toml"
        self.on()
        self.environment = {"RETRACE_CONFIG": str(self._path)}

    def off(self) -> None:
        """Switch recording off."""
        replaced(self._path, "[retrace]\nenabled = false\n")

    def on(self) -> None:
        """Switch recording on."""
        replaced(self._path, "[retrace]\n")


class LinkSwitch:
    """The same in a mounted ConfigMap: its files are links through `..data`, which is swapped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = 0
        self.on()
        (folder / "retrace.toml").symlink_to("..data/retrace.toml")
        self.environment = {"RETRACE_CONFIG": str(folder / "retrace.toml")}

    def _mount(self, text: str) -> None:
        self._version += 1
        name = f"..version-{self._version}"
        (self._folder / name).mkdir()
        (self._folder / name / "retrace.toml").write_text(text)
        (self._folder / "..data_tmp").symlink_to(name)
        (self._folder / "..data_tmp").replace(self._folder / "..data")

    def off(self) -> None:
        """Switch recording off."""
        self._mount("[retrace]\nenabled = false\n")

    def on(self) -> None:
        """Switch recording on."""
        self._mount("[retrace]\n")


class StopFileSwitch:
    """A file that stops recording while it is there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "stop"
        self.environment = {"RETRACE_STOP_FILE": str(self._path)}

    def off(self) -> None:
        """Switch recording off."""
        self._path.touch()

    def on(self) -> None:
        """Switch recording on."""
        self._path.unlink()


class FlagSwitch:
    """A feature flag in a file, asked for each request."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "flags.toml"
        self.on()
        self.environment = {"TOGGLE_FLAGS": str(self._path)}

    def off(self) -> None:
        """Switch recording off."""
        replaced(self._path, '[flags.record-request]\nvariation = "off"\n')

    def on(self) -> None:
        """Switch recording on."""
        replaced(self._path, '[flags.record-request]\nvariation = "full"\n')


class LaunchDarklySwitch:
    """A LaunchDarkly flag, by the SDK's own file data source in each worker."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "flags.json"
        self.on()
        self.environment = {"TOGGLE_LAUNCHDARKLY": str(self._path)}

    def off(self) -> None:
        """Switch recording off."""
        replaced(self._path, '{"flagValues": {"record-request": "off"}}')

    def on(self) -> None:
        """Switch recording on."""
        replaced(self._path, '{"flagValues": {"record-request": "full"}}')


SWITCHES: dict[str, Callable[[Path], Switch]] = {
    "settings file": FileSwitch,
    "ConfigMap": LinkSwitch,
    "stop file": StopFileSwitch,
    "flag file": FlagSwitch,
    "LaunchDarkly": LaunchDarklySwitch,
}
"""Name -> a switch that keeps its files in a folder."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request was answered."""

    sent_s: float
    worker: str
    """Process id, or "" where it failed."""
    recorded: bool
    problem: str = ""


class Load:
    """Sends requests at a steady rate, from several threads, and keeps what was answered.

    Args:
        port: of the server, on this machine.
        rate: requests per second, of all threads together.
        threads: how many send.
    """

    def __init__(self, port: int, rate: float, threads: int = 8) -> None:
        self._port = port
        self._pause_s = threads / rate
        self._stop = threading.Event()
        self.answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]

    def __enter__(self) -> Load:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in self._threads:
            one.join(60)

    def _send(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            with suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
                connection.connect()
            for _ in range(_PER_CONNECTION):
                due += self._pause_s
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    break
                self.answers.append(_ask(connection))
                if self.answers[-1].problem:
                    break
            connection.close()

    def failed(self) -> list[str]:
        """Return what went wrong, of all requests."""
        return [one.problem for one in self.answers if one.problem]

    def settled(self, since_s: float, recorded: bool, workers: int, settled_s: float) -> float:
        """Wait until all workers answer the new way for a while.

        Args:
            since_s: when it was switched, as `time.monotonic` has it.
            recorded: the new way.
            workers: how many there are.
            settled_s: for how long none may answer the old way.

        Returns:
            After how many seconds the last request that was answered the old way was sent.

        Raises:
            TimeoutError: it did not come to that.
        """
        deadline = since_s + ALLOWED_S + settled_s + 5.0
        while time.monotonic() < deadline:
            later = [one for one in self.answers[:] if one.sent_s >= since_s and not one.problem]
            old = max((one.sent_s for one in later if one.recorded != recorded), default=since_s)
            new = {one.worker for one in later if one.sent_s > old}
            if len(new) == workers and time.monotonic() - old > settled_s:
                return old - since_s
            self._stop.wait(0.05)
        raise TimeoutError("some worker still answers the old way")


def _ask(connection: http.client.HTTPConnection) -> Answer:
    sent = time.monotonic()
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return Answer(sent, "", False, repr(error))
    if answer.status != 200:
        return Answer(sent, "", False, f"status {answer.status}")
    return Answer(sent, body, answer.getheader("X-Trace-ID") is not None)


@contextmanager
def serving(switch: Switch, recordings: Path, workers: int = 2) -> Iterator[int]:
    """Run gunicorn with this switch until the block ends; yield its port."""
    port = free_port()
    command = f"-m gunicorn -k gthread --threads 8 -w {workers} -b 127.0.0.1:{port}".split()
    environment = {**os.environ, **UNLIMITED, "RETRACE": "1", "RETRACE_SAMPLE_RATE": "1"}
    environment |= {"RETRACE_SERVICE": "toggle", "RETRACE_RECORDING_PATH": str(recordings)}
    process = subprocess.Popen(
        [sys.executable, *command, "benchmarks.toggle:make_app()"],
        env=environment | switch.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port, workers, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int, workers: int, process: subprocess.Popen[bytes]) -> None:
    seen: set[str] = set()
    deadline = time.monotonic() + 30
    while len(seen) < workers and time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        seen |= {_ask(connection).worker} - {""}
        connection.close()
        time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of switching off and on under load."""

    requests: int
    failed: list[str]
    off_s: float
    """After how long the last request was still recorded."""
    on_s: float
    """After how long the last request was still not recorded."""
    per_s: float
    """How many requests were sent in a second."""


def measure(name: str, *, rate: float, settled_s: float = _SETTLED_S) -> Outcome:
    """Switch off and on by one means, under load.

    Args:
        name: a key of `SWITCHES`.
        rate: requests per second.
        settled_s: as for `Load.settled`.

    Raises:
        TimeoutError: a change did not reach all workers.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "settings").mkdir()
        switch = SWITCHES[name](Path(folder) / "settings")
        with serving(switch, Path(folder) / "recordings") as port, Load(port, rate) as load:
            begun = time.monotonic()
            load.settled(begun, True, 2, settled_s)
            switched = time.monotonic()
            switch.off()
            off_s = load.settled(switched, False, 2, settled_s)
            switched = time.monotonic()
            switch.on()
            on_s = load.settled(switched, True, 2, settled_s)
            took_s = time.monotonic() - begun
    answers = load.answers
    return Outcome(len(answers), load.failed(), off_s, on_s, len(answers) / took_s)


def main() -> int:
    """Print a line for each switch; the exit status is 0 when all is as it must be."""
    rate = option("--rate", 500)
    good = True
    print(f"{'switched by':16} {'requests':>8} {'per s':>6} {'failed':>6} {'off s':>6} {'on s':>6}")
    for name in SWITCHES:
        one = measure(name, rate=rate)
        good &= not one.failed and max(one.off_s, one.on_s) <= ALLOWED_S
        print(
            f"{name:16} {one.requests:8} {one.per_s:6.0f} {len(one.failed):6}"
            f" {one.off_s:6.2f} {one.on_s:6.2f}",
            flush=True,
        )
        for problem in sorted(set(one.failed)):
            print("   ", problem)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
