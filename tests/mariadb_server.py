"""A real MariaDB on loopback, in a temporary folder, to be stopped by the tests."""

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

import pymysql

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "shop", "secret"
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

    def url(self, database: str, scheme: str) -> str:
        """Return the address of a database for `create_engine`; scheme: "mysql+pymysql" ..."""
        return f"{scheme}://{USER}:{PASSWORD}@{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        setup = self.folder / "setup.sql"
        command = [
            _program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            f"--init-file={setup}",
            *_SETTINGS,
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_not_as_root(ends_with_us=True), *command], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _UP_WITHIN_S
        while True:
            try:
                self._connect().close()
            except pymysql.err.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"MariaDB did not start:\n{said[-2000:]}") from None
                time.sleep(0.05)
            else:
                break
        setup.write_text("")  # the user is there when it starts again

    def stop(self) -> None:
        """End the server and all connections at once; harmless when it is stopped."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def _connect(self) -> pymysql.Connection:  # type: ignore[type-arg,unused-ignore]
        return pymysql.connect(host=self.host, port=self.port, user=USER, password=PASSWORD)


@contextmanager
def mariadb_server() -> Iterator[MariadbServer]:
    """Yield a running server; it is stopped and deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    try:
        (folder / "setup.sql").write_text(_SETUP)
        if os.getuid() == 0:
            shutil.chown(folder, *_account())
        init = [_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder / 'data'}"]
        init += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        made = subprocess.run([*_not_as_root(), *init], capture_output=True, check=False)
        if made.returncode:
            said = (made.stdout + made.stderr).decode(errors="replace")
            raise RuntimeError(f"mariadb-install-db failed:\n{said}")
        server = MariadbServer(folder, _free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """Return the path of a program of MariaDB's."""
    found = shutil.which(name, path=os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")]))
    if found is None:
        raise RuntimeError(f"MariaDB's {name} is not installed; run scripts/services")
    return found


def _account() -> tuple[int, int]:
    """Return (user id, group id) to run as where we are root, which MariaDB refuses."""
    for name in ("mysql", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RuntimeError("no user mysql or nobody to run MariaDB as")


def _not_as_root(*, ends_with_us: bool = False) -> list[str]:
    """Return a command line's beginning that leaves root, and ends with this process."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []  # not on Linux: we are hardly root there
    options = ["--pdeathsig", "KILL"] if ends_with_us else []
    if os.getuid() == 0:
        user, group = _account()
        options += ["--reuid", str(user), "--regid", str(group), "--clear-groups"]
    return [setpriv, *options] if options else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
