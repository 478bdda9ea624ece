"""A real MariaDB on loopback, in a temporary folder, to be stopped by the tests."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pymysql

from tests.server_process import free_port, not_as_root, own_folder, program, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = "shop", "secret"
_ACCOUNTS = ("mysql", "nobody")
_SETTINGS = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=16M",
    "--character-set-server=utf8mb4",
)
_SETUP = f"""
CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO '{USER}'@'%';
"""
_UP_WITHIN_S = 60.0


@dataclass
class MariadbServer:
    """A server that a test may stop; fresh databases are cheap."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _databases: int = field(default=0)

    host = "127.0.0.1"
    user = USER
    password = PASSWORD

    def new_database(self) -> str:
        """Return the name of a fresh, empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        connection = self._connect()
        try:
            connection.cursor().execute(f"CREATE DATABASE {name}")
        finally:
            connection.close()
        return name

    def options(self, table: str) -> dict[str, Any]:
        """Return what a driver connects with, to a fresh database with one table.

        Args:
            table: what comes behind CREATE TABLE t.
        """
        found = {
            "host": self.host,
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            "database": self.new_database(),
        }
        connection = pymysql.connect(**found)
        connection.cursor().execute(f"CREATE TABLE t {table}")
        connection.close()
        return found

    def url(self, database: str, scheme: str) -> str:
        """Return the address of a database for `create_engine`; scheme: "mysql+pymysql" ..."""
        return f"{scheme}://{USER}:{PASSWORD}@{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        setup = self.folder / "setup.sql"
        command = [
            program("mariadbd", "/usr/sbin"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--tmpdir={self.folder}",
            f"--port={self.port}",
            f"--init-file={setup}",
            *_SETTINGS,
        ]
        self.process = started(
            "MariaDB",
            [*not_as_root(*_ACCOUNTS, ends_by="KILL"), *command],
            self.folder,
            self._answers,
            within_s=_UP_WITHIN_S,
        )
        setup.write_text("")  # the user is there when it starts again

    def stop(self) -> None:
        """End the server and all connections at once; harmless when it is stopped."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def _connect(self) -> pymysql.Connection:  # type: ignore[type-arg,unused-ignore]
        return pymysql.connect(host=self.host, port=self.port, user=USER, password=PASSWORD)


@contextmanager
def mariadb_server() -> Iterator[MariadbServer]:
    """Yield a running server; it is stopped and deleted at the end."""
    with own_folder("mariadb", *_ACCOUNTS) as folder:
        (folder / "setup.sql").write_text(_SETUP)
        init = [program("mariadb-install-db"), "--no-defaults", f"--datadir={folder / 'data'}"]
        init += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        # A server that starts takes away the tables of others in a folder that it shares with them.
        made = subprocess.run(
            [*not_as_root(*_ACCOUNTS), *init],
            capture_output=True,
            check=False,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        if made.returncode:
            said = (made.stdout + made.stderr).decode(errors="replace")
            raise RuntimeError(f"mariadb-install-db failed:\n{said}")
        server = MariadbServer(folder, free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
