"""Peers of ZeroMQ on loopback, in a process of their own, to be stopped by the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = """
import json, random, zmq
context = zmq.Context()
kinds = {"rep": zmq.REP, "pull": zmq.PULL, "router": zmq.ROUTER, "pub": zmq.PUB}
ends = {name: context.socket(kind) for name, kind in kinds.items()}
ports = {name: end.bind_to_random_port("tcp://127.0.0.1") for name, end in ends.items()}
print(json.dumps(ports), flush=True)
poller = zmq.Poller()
for name in ("rep", "pull", "router"):
    poller.register(ends[name], zmq.POLLIN)
while True:
    ready = dict(poller.poll(5))
    ends["pub"].send_multipart([b"news", b"%f" % random.random()])
    if ends["pull"] in ready:
        ends["pull"].recv()
    if ends["rep"] in ready:
        ends["rep"].send(b"%s %f" % (ends["rep"].recv(), random.random()))
    if ends["router"] in ready:
        who, *said = ends["router"].recv_multipart()
        if said != [b"silence"]:
            ends["router"].send_multipart([who, *said, b"%f" % random.random()])
"""


@contextmanager
def zeromq_peer() -> Iterator[dict[str, str]]:
    """Yield the addresses of sockets that answer, take, publish, and answer in parts.

    They are REP (which answers with a number drawn), PULL, PUB (topic "news") and ROUTER (which
    answers anything but "silence", and a number drawn).
    """
    command = [*ends_with_us(), sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as peer:
        assert peer.stdout is not None
        try:
            ports = json.loads(peer.stdout.readline())
            yield {name: f"tcp://127.0.0.1:{port}" for name, port in ports.items()}
        finally:
            peer.kill()
