"""A real PostgreSQL on loopback, in a temporary folder, to be stopped by the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "timezone": "Europe/Berlin",
}
_UP_WITHIN_S = 60.0


@dataclass
class PostgresqlServer:
    """A server that a test may stop; it takes any password, and fresh databases are cheap."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _databases: int = field(default=0)

    host = "127.0.0.1"
    user = USER

    def new_database(self) -> str:
        """Return the name of a fresh, empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        options = ["-h", self.host, "-p", str(self.port), "-U", USER]
        subprocess.run([_program("createdb"), *options, name], check=True, timeout=60)
        return name

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """Return the address of a database, for instance for `create_engine`."""
        return f"{scheme}://{USER}:secret@{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [_program("postgres"), "-D", str(self.folder), "-p", str(self.port), *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_not_as_root(ends_with_us=True), *command], stdout=log, stderr=log
            )
        ready = [_program("pg_isready"), "-q", "-h", self.host, "-p", str(self.port)]
        deadline = time.monotonic() + _UP_WITHIN_S
        while subprocess.run(ready, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start:\n{said[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server and all connections at once; harmless when it is stopped."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
            self.process = None


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Yield a running server; it is stopped and deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, *_account())
        init = [_program("initdb"), "-D", str(folder), "-U", USER, "-A", "trust", "-N"]
        init += ["-E", "UTF8", "--locale=C"]
        made = subprocess.run([*_not_as_root(), *init], capture_output=True, check=False)
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr.decode(errors='replace')}")
        server = PostgresqlServer(folder, _free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL's, the newest version that is installed."""
    homes = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(homes, key=lambda home: int(home.parent.name), reverse=True)
    path = os.pathsep.join([*map(str, newest), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is not installed; run scripts/services")
    return found


def _account() -> tuple[int, int]:
    """Return (user id, group id) to run as where we are root, which PostgreSQL refuses."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RuntimeError("no user postgres or nobody to run PostgreSQL as")


def _not_as_root(*, ends_with_us: bool = False) -> list[str]:
    """Return a command line's beginning that leaves root, and ends with this process."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []  # not on Linux: we are hardly root there
    options = ["--pdeathsig", "QUIT"] if ends_with_us else []
    if os.getuid() == 0:
        user, group = _account()
        options += ["--reuid", str(user), "--regid", str(group), "--clear-groups"]
    return [setpriv, *options] if options else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
