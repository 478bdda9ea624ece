"""A real Redis on loopback, in memory only, to be stopped by the tests."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us, free_port, own_folder, program, started

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

_UP_WITHIN_S = 30.0


@dataclass
class RedisServer:
    """A server that a test may stop."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    host = "127.0.0.1"

    def url(self, database: int = 0) -> str:
        """Return the address of a database, for instance for `Redis.from_url`."""
        return f"redis://{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and return when it answers."""
        options = ["--bind", self.host, "--port", str(self.port), "--dir", str(self.folder)]
        options += ["--save", "", "--appendonly", "no"]
        command = [*ends_with_us(), program("redis-server"), *options]
        self.process = started("Redis", command, self.folder, self._answers, within_s=_UP_WITHIN_S)

    def stop(self) -> None:
        """End the server and all connections at once; harmless when it is stopped."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def flush(self) -> None:
        """Forget all keys and scripts."""
        self.ask(b"FLUSHALL\r\nSCRIPT FLUSH\r\n")

    def ask(self, commands: bytes) -> bytes:
        """Send commands as one types them to Redis; return what it answers."""
        with socket.create_connection((self.host, self.port), timeout=5) as connection:
            connection.sendall(commands + b"QUIT\r\n")
            with connection.makefile("rb") as answers:
                return answers.read()

    def _answers(self) -> bool:
        try:
            return self.ask(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Yield a running server; it is stopped and deleted at the end."""
    with own_folder("redis") as folder:
        server = RedisServer(folder, free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
