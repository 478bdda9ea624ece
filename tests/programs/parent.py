"""A program which watches over a process of `multiprocessing` that serves."""

from __future__ import annotations

import argparse
import multiprocessing
import signal

from tests.programs.greeter import Lock, made, serve


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
    context = multiprocessing.get_context(given.method)
    other = context.Process(target=idle)
    other.start()
    serving = context.Process(target=serve_in_child, args=(given.server, given.port, "hello"))
    serving.start()
    signal.signal(signal.SIGTERM, lambda *_: serving.terminate())
    serving.join()


if __name__ == "__main__":
    main()
