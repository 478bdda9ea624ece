"""A program with a thread of its own, which reaches for the world while a request is served."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from typing import Any
from wsgiref.simple_server import make_server

ASKED, DONE = threading.Event(), threading.Event()


def keep_house(folder: str) -> None:
    """Make a folder and take it away whenever somebody has asked."""
    while True:
        ASKED.wait()
        ASKED.clear()
        try:
            os.mkdir(folder)
            os.rmdir(folder)
        finally:
            DONE.set()


def main() -> None:
    """Serve, and keep house beside it."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        ASKED.set()
        DONE.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(time.time()).encode()]

    folder = os.path.join(sys.argv[2], os.path.basename(tempfile.mktemp()))
    threading.Thread(target=keep_house, args=[folder], daemon=True).start()
    make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()


if __name__ == "__main__":
    main()
