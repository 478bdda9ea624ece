"""Outage: a service records while its store is away, for as long as is said.

Usage: python -m tests.stores.outage [MINUTES]
gunicorn with two workers is asked ten times a second; for so many minutes nothing reaches the
store. Then it comes back, and each recorded request has to be there once.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.unlimited import UNLIMITED
from retrace_core.store import open_store
from tests.server_process import free_port
from tests.stores.emulators import Emulator, S3Emulator, running
from tests.stores.gate import Gate

_UP_WITHIN_S, _SHIPPED_WITHIN_S, _PAUSE_S = 30.0, 1200.0, 0.1
_LOOK_EACH_S = 15
"""A look lists the whole bucket, which keeps the emulator from taking anything meanwhile."""


def ask(port: int, number: int) -> bool:
    """Send one request, with a trace id of its own; return whether it was answered well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/", headers={"X-Trace-ID": f"asked-{number}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def outage(server: Emulator, folder: Path, minutes: float) -> tuple[int, float]:
    """Serve through the outage.

    Returns:
        How many requests were recorded in it, and after how many seconds all were there.

    Raises:
        AssertionError: a request failed, or a recording is not there once.
    """
    gate, port, url = Gate(server.port), free_port(), "s3://recordings/outage"
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": gate.endpoint,
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "1",
        **UNLIMITED,  # what a limit suppresses was never kept
        "RETRACE_SERVICE": "shop",
        "RETRACE_RECORDING_PATH": url,
        "RETRACE_SPOOL": str(folder / "spool"),
    }
    command = ["gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "tests.ways:wsgi()"]
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environment, stdout=said, stderr=said
        )
    try:
        deadline, asked = time.monotonic() + _UP_WITHIN_S, 0
        while not ask(port, asked):
            assert time.monotonic() < deadline, (folder / "said").read_text()
            asked += 1
            time.sleep(_PAUSE_S)
        first = asked
        gate.shut()
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            asked += 1
            assert ask(port, asked), f"request {asked} failed"
            time.sleep(_PAUSE_S)
        gate.open()
        opened = time.monotonic()
        store = open_store(url)
        found: Counter[str] = Counter()
        while len(found) < asked - first + 1 and time.monotonic() < opened + _SHIPPED_WITHIN_S:
            time.sleep(_LOOK_EACH_S)
            found = Counter(one.folder for one in store.list() if one.folder.startswith("asked-"))
        took = time.monotonic() - opened
    finally:
        process.terminate()
        process.wait(60)
        gate.close()
    missing = [number for number in range(first, asked + 1) if found[f"asked-{number}"] != 1]
    assert not missing, f"{len(missing)} are not there once: {missing[:20]}"
    return asked - first + 1, took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, running(S3Emulator) as emulator:
        emulator.make_bucket("recordings")
        os.environ.update(emulator.environment())
        requests, took_s = outage(emulator, Path(name), float((*sys.argv, 60)[1]))
    sys.stdout.write(f"{requests} requests; all recordings there {took_s:.0f} s after its end\n")
