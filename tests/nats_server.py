"""A real NATS server on loopback, with JetStream, to be stopped by the tests."""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us, free_port, started

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST, _UP_WITHIN_S = "127.0.0.1", 30.0


@contextmanager
def nats_server(*options: str) -> Iterator[str]:
    """Yield the address of a running server, without a scheme; it is stopped at the end.

    Args:
        options: further ones of its command line.
    """
    program = shutil.which("nats-server")
    if program is None:
        raise RuntimeError("nats-server is not installed; run scripts/services")
    folder, port = Path(tempfile.mkdtemp(prefix="nats-")), free_port()

    def answers() -> bool:
        try:
            with socket.create_connection((_HOST, port), timeout=5) as connection:
                return connection.recv(4).startswith(b"INFO")
        except OSError:
            return False

    command = [*ends_with_us(), program, "--addr", _HOST, "--port", str(port)]
    command += ["--jetstream", "--store_dir", str(folder), *options]
    process = started("nats-server", command, folder, answers, within_s=_UP_WITHIN_S)
    try:
        yield f"{_HOST}:{port}"
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
