"""Flag servers as processes of their own, on 127.0.0.1; they end with the test.

`ofrep_server` runs a flag server from the package registry (fast-feature's OFREP router and
evaluation engine). `launchdarkly_stub` is a stub of ours: it speaks the server SDK's streaming
protocol and knows no more than the flags that it is given.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

OFREP = """
import json, socket, sys
import uvicorn
from fastapi import FastAPI
from fast_feature.core import Flag
from fast_feature.ofrep import OfrepRouter
from fast_feature.storage.inmemory import InMemoryFlagRepository

flags = [Flag(**given) for given in json.loads(sys.argv[1])]
app = FastAPI()
app.include_router(OfrepRouter.build(InMemoryFlagRepository(flags)))
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])
"""

LAUNCHDARKLY = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

flags = json.loads(sys.argv[1])

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = json.dumps({"path": "/", "data": {"flags": flags, "segments": {}}})
        event = f"event: put\\ndata: {data}\\n\\n".encode()
        self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(event), event))
        self.wfile.flush()
        threading.Event().wait()

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def served(code: str, flags: Any) -> Iterator[str]:
    """Run a server, and yield its address."""
    command = [sys.executable, "-c", code, json.dumps(flags)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port.isdecimal(), port
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def launchdarkly_flag(key: str, *variations: Any, users: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a flag as LaunchDarkly's service describes it: `users` get the last variation."""
    return {
        "key": key,
        "version": 1,
        "on": True,
        "variations": list(variations),
        "fallthrough": {"variation": 0},
        "offVariation": 0,
        "targets": [{"values": list(users), "variation": len(variations) - 1}],
        "rules": [],
        "prerequisites": [],
        "salt": "s",
    }
