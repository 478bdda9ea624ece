"""A program whose application is a global, and gets what it is to say in its main."""

from __future__ import annotations

import sys
import time
from typing import Any
from wsgiref.simple_server import make_server

WORDS: list[str] = []


def application(environ: Any, start_response: Any) -> list[bytes]:
    """Say what the program was told to."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{WORDS} {time.time()}".encode()]


if __name__ == "__main__":
    WORDS += sys.argv[2:]
    late = application
    make_server("127.0.0.1", int(sys.argv[1]), late).serve_forever()
