"""Recording: an application is served under `retrace run`, driven, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.corpus.application import Place
from tests.corpus.visitor import Visitor
from tests.mariadb_server import mariadb_server
from tests.postgresql_server import postgresql_server
from tests.redis_server import redis_server
from tests.server_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from http.server import BaseHTTPRequestHandler

    from tests.corpus.application import Application
    from tests.corpus.visitor import Asked

__all__ = ["SECRETS", "Secrets", "record"]

Secrets = Literal["masked", "clear", "sealed"]
"""What is done with secrets: what is done by default, nothing, or that and `seal_to`."""
SECRETS: dict[Secrets, dict[str, str]] = {
    "masked": {},
    "clear": {"RETRACE_REDACT": "0", "RETRACE_RECORD_SECRET_VARIABLES": "1"},
    "sealed": {},  # and the key that is given
}

_UP_WITHIN_S = 90.0
_STATE = "/var/tmp"
"""Not the folder for temporary files: a service's state is not kept there."""
_EVERYTHING = {
    "RETRACE": "1",
    "RETRACE_SAMPLE_RATE": "1",
    "RETRACE_EXCLUDE": "",
    "RETRACE_SERVICE": "app",
    "RETRACE_LIMITS_SHARE": "0",
    "RETRACE_LIMITS_PER_SECOND": "0",
    "RETRACE_LIMITS_OVERHEAD": "0",
    "RETRACE_LIMITS_PER_ROUTE_PER_MINUTE": "0",
    "RETRACE_LIMITS_PER_FAILURE_PER_HOUR": "0",
}


def record(
    application: Application,
    python: Path,
    recordings: Path,
    progress: Callable[[Asked], None],
    *,
    settings: Mapping[str, str],
) -> list[Asked]:
    """Serve and drive an application; when this returns, all that it leant on is gone.

    Args:
        application: which.
        python: interpreter of its environment.
        recordings: folder for its recordings.
        progress: called with each request that was answered.
        settings: variables that say what is done with secrets.

    Returns:
        The requests in order; each is recorded below `recordings/NAME`.
    """
    state = Path(tempfile.mkdtemp(prefix=f"corpus-{application.name}-", dir=_STATE))
    try:
        with ExitStack() as servers:
            filled = {"state": str(state), "port": str(free_port())}
            if "postgresql" in application.needs:
                postgresql = servers.enter_context(postgresql_server())
                database = postgresql.new_database()
                filled["postgresql"] = f"{postgresql.host}:{postgresql.port}/{database}"
            if "mariadb" in application.needs:
                mariadb = servers.enter_context(mariadb_server())
                account = f"{mariadb.user}:{mariadb.password}"
                database = mariadb.new_database()
                filled["mariadb"] = f"{account}@{mariadb.host}:{mariadb.port}/{database}"
            if "redis" in application.needs:
                filled["redis"] = servers.enter_context(redis_server()).url()
            if application.origin is not None:
                filled["origin"] = servers.enter_context(_origin(application.origin))
            place = _place(application, python, state, filled)
            if application.prepare is not None:
                application.prepare(place)
            with _serving(application, place, recordings, settings) as base:
                visitor = Visitor(base, filled.get("origin", ""), progress)
                try:
                    application.drive(visitor)
                finally:
                    visitor.close()
            return visitor.asked
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _place(application: Application, python: Path, state: Path, filled: dict[str, str]) -> Place:
    here = Path(__file__).parent / "apps" / application.name
    filled["here"] = str(here)
    bare = Place(python=python, state=state, here=here, filled=filled, own={})
    own = {name: bare.fill(value) for name, value in application.environment.items()}
    return Place(python=python, state=state, here=here, filled=filled, own=own)


@contextmanager
def _serving(
    application: Application, place: Place, recordings: Path, settings: Mapping[str, str]
) -> Iterator[str]:
    recordings.mkdir(parents=True)
    environment = {
        **place.environment,
        **_EVERYTHING,
        **settings,
        "RETRACE_RECORDING_PATH": str(recordings),
    }
    folder = place.state if application.starts_in_state else place.here
    command = [str(place.python), "-m", "retrace_core.cli", "run", "--"]
    command += [place.fill(part) for part in application.server]
    log = recordings.parent / f"{application.name}.log"
    port = int(place.filled["port"])
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            _wait_for(port, process, log)
            yield f"http://127.0.0.1:{port}"
        except Exception as error:
            error.add_note(f"the server said:\n{_end_of(log)}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
                print(f"{application.name}: the server did not end within 30 s")
            _end_group(process.pid)


def _end_group(group: int) -> None:
    """End the processes that a server had started and left behind: kedro-viz serves by one."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:  # it writes what waits
            time.sleep(0.05)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start; its log is {log}") from None
            time.sleep(0.05)
        else:
            return


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


@contextmanager
def _origin(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
