"""A supervisor that binds a socket, and hands it down to a worker that serves.

The worker is told by name of what it makes its application of, which is none itself.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from importlib import import_module
from typing import Any

from tests.programs.greeter import Lock, asgi, made


class Service:
    """Not an application, though it can be called."""

    words = "from a service"

    def __call__(self) -> str:
        """Return what it says."""
        return self.words


SERVICE = Service()


def supervise(port: int, how: str) -> None:
    """Bind the socket, and start the worker with it."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.set_inheritable(True)
        os.dup2(door.fileno(), 97)  # where no other program has one
        command = [sys.executable, "-m", __spec__.name, how, f"{__spec__.name}:SERVICE"]
        worker = subprocess.Popen(command, pass_fds=(97,))
    signal.signal(signal.SIGTERM, lambda *_: worker.terminate())
    worker.wait()


def work(how: str, name: str) -> None:
    """Serve what is made of an object of that name."""
    import uvicorn

    module, _, attribute = name.partition(":")
    service: Any = getattr(import_module(module), attribute)
    if how == "fileno":
        door = socket.socket(fileno=97)
    else:
        door = socket.fromfd(97, socket.AF_INET, socket.SOCK_STREAM)
    uvicorn.Server(uvicorn.Config(asgi(made(service(), Lock())))).run(sockets=[door])


if __name__ == "__main__":
    if sys.argv[1].isdecimal():
        supervise(int(sys.argv[1]), sys.argv[2])
    else:
        work(*sys.argv[1:])
