"""A program which watches over a process of `multiprocessing` that serves.

It looks before whether the port is free, and whether there is a newer version of itself.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import signal
import urllib.request

from tests.programs.greeter import Lock, look_around, made, serve


def idle() -> None:
    """Do what another process is for."""


def serve_in_child(server: str, port: int, greeting: str) -> None:
    """Make the application, and serve it."""
    name = multiprocessing.current_process().name
    lock = Lock()
    with lock:
        serve(server, port, made(f"{greeting} by {name}", lock))


def main() -> None:
    """Start a process which does something else, and the one that serves."""
    parser = argparse.ArgumentParser()
    parser.add_argument("method")
    parser.add_argument("server")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    look_around(given.port)
    with contextlib.suppress(OSError):  # nobody is there yet
        urllib.request.urlopen(f"http://127.0.0.1:{given.port}/newest", timeout=5).close()
    context = multiprocessing.get_context(given.method)
    other = context.Process(target=idle)
    other.start()
    serving = context.Process(target=serve_in_child, args=(given.server, given.port, "hello"))
    serving.start()
    signal.signal(signal.SIGTERM, lambda *_: serving.terminate())
    serving.join()


if __name__ == "__main__":
    main()
