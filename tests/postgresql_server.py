"""A real PostgreSQL on loopback, in a temporary folder, to be stopped by the tests."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import free_port, not_as_root, own_folder, program, started

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
_ACCOUNTS = ("postgres", "nobody")
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
        self.process = started(
            "PostgreSQL",
            [*not_as_root(*_ACCOUNTS, ends_by="QUIT"), *command],
            self.folder,
            self._answers,
            within_s=_UP_WITHIN_S,
        )

    def stop(self) -> None:
        """End the server and all connections at once; harmless when it is stopped."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        ready = [_program("pg_isready"), "-q", "-h", self.host, "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Yield a running server; it is stopped and deleted at the end."""
    with own_folder("postgresql", *_ACCOUNTS) as folder:
        init = [_program("initdb"), "-D", str(folder), "-U", USER, "-A", "trust", "-N"]
        init += ["-E", "UTF8", "--locale=C"]
        made = subprocess.run([*not_as_root(*_ACCOUNTS), *init], capture_output=True, check=False)
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr.decode(errors='replace')}")
        server = PostgresqlServer(folder, free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL's, the newest version that is installed."""
    homes = Path("/usr/lib/postgresql").glob("*/bin")
    return program(name, *sorted(homes, key=lambda home: int(home.parent.name), reverse=True))
