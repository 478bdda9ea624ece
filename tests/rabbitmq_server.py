"""A real RabbitMQ on loopback, to be stopped by the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us, free_port, started

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST, _UP_WITHIN_S = "127.0.0.1", 60.0
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The one that does not change the user; Debian's in the path does."""
_SETTINGS = """
loopback_users = none
log.console.level = error
log.file = false
"""


@dataclass(frozen=True, slots=True)
class RabbitmqServer:
    """Where it listens; user and password are `guest`."""

    port: int

    @property
    def url(self) -> str:
        """The address of its first virtual host."""
        return f"amqp://guest:guest@{_HOST}:{self.port}/"


@contextmanager
def rabbitmq_server() -> Iterator[RabbitmqServer]:
    """Yield a running server, with a port mapper of its own; both are stopped at the end."""
    mapper = shutil.which("epmd")
    if mapper is None or not _PROGRAM.exists():
        raise RuntimeError("RabbitMQ is not installed; run scripts/services")
    folder, port, names, nodes = _folder(), free_port(), free_port(), free_port()
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": _HOST,
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": f"retrace{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": _HOST,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(nodes),
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS": "",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false"
        " -kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_SERVER_START_ARGS": "+S 1:1",
        "NOTIFY_SOCKET": str(folder / "none"),  # no shell stays between the server and us
    }
    alone = ["env", "-i", *(f"{name}={value}" for name, value in settings.items())]
    with subprocess.Popen(
        [*ends_with_us(), *alone, mapper, "-address", _HOST, "-port", str(names)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as mapping:
        process = started(
            "rabbitmq",
            [*ends_with_us(), *alone, str(_PROGRAM)],
            folder,
            lambda: _answers(port),
            within_s=_UP_WITHIN_S,
        )
        try:
            yield RabbitmqServer(port)
        finally:
            process.kill()
            process.wait(30)
            mapping.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
    (folder / "rabbitmq.conf").write_text(_SETTINGS)
    return folder


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=5) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
