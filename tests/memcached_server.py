"""A real memcached on loopback, to be stopped by the tests."""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us, free_port, not_as_root, started

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST, _UP_WITHIN_S = "127.0.0.1", 30.0


@contextmanager
def memcached_server() -> Iterator[tuple[str, int]]:
    """Yield the address of a running server; it is stopped at the end."""
    program = shutil.which("memcached")
    if program is None:
        raise RuntimeError("memcached is not installed; run scripts/services")
    folder, port = Path(tempfile.mkdtemp(prefix="memcached-")), free_port()

    def answers() -> bool:
        try:
            with socket.create_connection((_HOST, port), timeout=5) as connection:
                connection.sendall(b"version\r\n")
                return connection.recv(100).startswith(b"VERSION")
        except OSError:
            return False

    command = [*ends_with_us(), *not_as_root("memcache", "nobody"), program]
    command += ["--listen", _HOST, "--port", str(port)]
    process = started("memcached", command, folder, answers, within_s=_UP_WITHIN_S)
    try:
        yield _HOST, port
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
