"""Fidelity: of 200 requests under each server, 20 at once, how many replay identically?

Half of them are recorded; then the server and its upstream are stopped, the database is
deleted, and a fresh process replays each recording five times.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.unlimited import UNLIMITED
from retrace_core import load, replay
from tests.http_origin import origin
from tests.server_process import free_port

SERVERS = {
    "waitress": "-m waitress --threads 8 --listen 127.0.0.1:{port} benchmarks.fidelity:wsgi",
    "gunicorn gthread": "-m gunicorn -k gthread --threads 8 -w 2 -b 127.0.0.1:{port}"
    " benchmarks.fidelity:wsgi",
    "uvicorn asyncio": "-m uvicorn --loop asyncio --port {port} benchmarks.fidelity:asgi",
    "uvicorn uvloop": "-m uvicorn --loop uvloop --port {port} benchmarks.fidelity:asgi",
}


def __getattr__(name: str) -> Any:
    from benchmarks import shop
    from retrace_mw import RetraceMiddleware

    if name == "wsgi":
        app = shop.make_wsgi()
        app.wsgi_app = RetraceMiddleware(app.wsgi_app)
    elif name == "asgi":
        app = shop.make_asgi()
        app.add_middleware(RetraceMiddleware)
    else:
        raise AttributeError(name)
    globals()[name] = app
    return app


def get(url: str) -> int:
    """Return the status of one request."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        answer.read()
        status: int = answer.status
        return status


def record(server: str, folder: Path, url: str, requests: int) -> None:
    """Send the requests to a server that records half of them."""
    port = free_port()
    command = [sys.executable, *SERVERS[server].format(port=port).split()]
    process = subprocess.Popen(
        command,
        env={
            **os.environ,
            **UNLIMITED,
            "RETRACE": "1",
            "RETRACE_SAMPLE_RATE": "0.5",
            "RETRACE_SERVICE": "shop",
            "RETRACE_RECORDING_PATH": str(folder / "recordings"),
            "BENCH_DB": str(folder / "shop.db"),
            "BENCH_URL": url,
        },
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(OSError):
                get(f"{base}/empty")
                break
            time.sleep(0.05)
        path = "/checkout" if "wsgi" in SERVERS[server] else "/fan"
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            assert set(pool.map(get, [base + path] * requests)) == {200}
    finally:
        process.terminate()
        process.wait(30)


def replay_all(folder: Path, times: int) -> tuple[int, int, list[str]]:
    """Return how many replays were identical, of how many, and what the others said."""
    from benchmarks import fidelity

    good, done, said = 0, 0, []
    for path in sorted((folder / "recordings").glob("*/*/*.bin")):
        recording = load(path)
        app = getattr(fidelity, recording.request.protocol)
        for _ in range(times):
            result = replay(recording, app)
            done += 1
            good += result.identical
            if not result.identical:
                said.append(result.summary()[:300])
    return good, done, said


def measure(server: str, requests: int, times: int) -> tuple[int, int, list[str]]:
    """Record under a server, take the world away, and replay in a fresh process.

    Args:
        server: a key of `SERVERS`.
        requests: how many, 20 at once; about half of them are recorded.
        times: how often each recording is replayed.

    Returns:
        As `replay_all`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with origin() as (url, _):
            record(server, folder, url, requests)
        (folder / "shop.db").unlink()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fidelity", "--replay", str(times), name],
            env={**os.environ, "BENCH_URL": url},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"the replay failed:\n{done.stderr[-2000:]}")
    good, total, said = json.loads(done.stdout)
    return good, total, said


def main() -> int:
    """Print a line for each server; the exit status is 0 when all replays were identical."""
    requests = int(sys.argv[sys.argv.index("--requests") + 1]) if "--requests" in sys.argv else 200
    if "--replay" in sys.argv:
        folder = Path(sys.argv[-1])
        os.environ["BENCH_DB"] = str(folder / "gone.db")
        sys.path.insert(0, os.getcwd())
        from retrace_core import installer
        from retrace_core.boundary import replay_began

        installer.install()
        replay_began(1)  # start-up statements run on private memory databases
        print(json.dumps(replay_all(folder, int(sys.argv[-2]))))
        return 0
    worst = 0
    for server in SERVERS:
        good, total, said = measure(server, requests, 5)
        print(f"{server:18} {good}/{total} identical", flush=True)
        for line in said[:3]:
            print("   ", line)
        worst = max(worst, total - good)
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
