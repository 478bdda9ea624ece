"""Fidelity with services: of 10,000 requests, 50 at once, how many replay identically?

    python -m benchmarks.fidelity_services [--requests N] [--at-once N] [--jobs N]
        [--isolate fork|process|none] [--keep FOLDER]

`warehouse`, a FastAPI application with asyncpg, Redis and httpx, is served by uvicorn with real
servers behind it, and all requests are recorded. Then all servers are ended and what they kept is
deleted, and `retrace verify` replays every recording in fresh processes: each in one of its own,
or many in one (`--isolate none`, the default here: it is ten times as fast, and the warehouse keeps
nothing between requests that could hide anything).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.rounds import option
from benchmarks.unlimited import UNLIMITED
from tests.http_origin import origin
from tests.postgresql_server import postgresql_server
from tests.redis_server import redis_server
from tests.server_process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

Asked = tuple[str, str, bytes]
"""Method, path, body."""

ROOT = Path(__file__).parents[1]
_PATIENCE_S = 60


@dataclass
class Measured:
    """What came of it."""

    recorded: int
    """Recordings in the folder."""
    answered: dict[int, int]
    """Status -> how many requests."""
    took_s: float
    """How long they took."""
    identical: int
    """Replays that were exact matches."""
    verified: dict[str, Any]
    """What `retrace verify` reports."""


def requests(count: int, seed: int = 4) -> Iterator[Asked]:
    """Yield what visitors of a warehouse ask."""
    dice = random.Random(seed)
    for _ in range(count):
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        method, path = kind.split()
        body = b""
        if path == "/orders":
            lines = {
                str(dice.randrange(202)): dice.randint(1, 3) for _ in range(dice.randint(1, 3))
            }
            email = f"visitor{dice.randrange(20)}@example.com"
            body = json.dumps({"email": email, "lines": lines}).encode()
        yield method, path.format(item=dice.randrange(202), few=dice.randrange(8)), body


KINDS = {
    "GET /items/{item}": 20,
    "POST /orders": 12,
    "GET /dashboard": 10,
    "POST /transfer/{few}/{item}": 8,
    "GET /limited/visitor{few}": 8,
    "GET /retried": 8,
    "GET /report": 8,
    "POST /locked/{few}": 8,
    "GET /grouped": 8,
    "GET /threaded": 5,
    "GET /broken/{few}": 5,
}
"""Method and pattern of the path -> how often, relative to the others."""


def visit(port: int, todo: Iterator[Asked], at_once: int) -> dict[int, int]:
    """Send the requests, so many at once; return how many had which status."""
    answered: Counter[int] = Counter()
    lock = threading.Lock()

    def visitor() -> None:
        while True:
            with lock:
                asked = next(todo, None)
            if asked is None:
                return
            method, path, body = asked
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
            headers = {"Content-Type": "application/json", "Connection": "close"}
            try:
                connection.request(method, path, body or None, headers)
                answer = connection.getresponse()
                answer.read()
            except TimeoutError as error:
                raise TimeoutError(f"{method} {path} got no answer") from error
            finally:
                connection.close()
            with lock:
                answered[answer.status] += 1

    with ThreadPoolExecutor(at_once) as pool:
        for visiting in [pool.submit(visitor) for _ in range(at_once)]:
            visiting.result()
    return dict(answered)


def record(folder: Path, environment: dict[str, str], count: int, at_once: int) -> dict[int, int]:
    """Serve the warehouse, visit it, and end it; return how many requests had which status."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "warning", "benchmarks.warehouse:app"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            with suppress(OSError):
                visit(port, iter([("GET", "/items/0", b"")]), 1)
                break
            time.sleep(0.05)
        else:
            raise RuntimeError((folder / "server.log").read_text()[-2000:])
        return visit(port, requests(count), at_once)
    finally:
        server.terminate()
        server.wait(6)


def verify(folder: Path, environment: dict[str, str], jobs: int, isolate: str) -> dict[str, Any]:
    """Replay all recordings in fresh processes; return the report."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "retrace_core.cli", "verify", str(folder / "recordings")]
    command += ["--app", "benchmarks.warehouse:app", "--app-dir", str(ROOT), "--cold"]
    command += ["--jobs", str(jobs), "--isolate", isolate, "--json", str(report)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if not report.exists() or not report.read_text():
        raise RuntimeError(f"verify failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def measure(folder: Path, count: int, at_once: int, jobs: int, isolate: str) -> Measured:
    """Record so many requests, take the world away, and replay them all.

    Args:
        folder: for the recordings and logs.
        count: how many requests.
        at_once: how many at the same time.
        jobs: how many replays at the same time.
        isolate: as `retrace verify` takes it.
    """
    with ExitStack() as world:
        database = world.enter_context(postgresql_server())
        store = world.enter_context(redis_server())
        url, _ = world.enter_context(origin())
        address = database.url(database.new_database())
        asyncio.run(_fill(address))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RETRACE")},
            **UNLIMITED,
            "RETRACE": "1",
            "RETRACE_SAMPLE_RATE": "1",
            # An order's key is a hash over the e-mail address: of a pseudonym it is another one.
            "RETRACE_REDACT": "0",
            "RETRACE_RECORDING_PATH": str(folder / "recordings"),
            "WAREHOUSE_DATABASE": address,
            "WAREHOUSE_REDIS": store.url(),
            "WAREHOUSE_ORIGIN": url,
        }
        start = time.monotonic()
        answered = record(folder, environment, count, at_once)
        took_s = time.monotonic() - start
    recorded = sum(1 for _ in (folder / "recordings").glob("*/warehouse/trace*.bin"))
    verified = verify(folder, environment, jobs, isolate)
    return Measured(recorded, answered, took_s, verified["exact"], verified)


async def _fill(address: str) -> None:
    import asyncpg

    from benchmarks.warehouse import fill

    database = await asyncpg.connect(address)
    try:
        await fill(database)
    finally:
        await database.close()


def main() -> int:
    """Print how many were identical, and why others were not; exit status 0 when all were."""
    count = option("--requests", 10_000)
    with ExitStack() as stack:
        if "--keep" in sys.argv:
            folder = Path(sys.argv[sys.argv.index("--keep") + 1])
            folder.mkdir(parents=True)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jobs = option("--jobs", os.cpu_count() or 1)
        isolate = "none"
        if "--isolate" in sys.argv:
            isolate = sys.argv[sys.argv.index("--isolate") + 1]
        found = measure(folder, count, option("--at-once", 50), jobs, isolate)
        print(f"answered in {found.took_s:.0f} s: {dict(sorted(found.answered.items()))}")
        verify_s = found.verified["took_s"]
        print(f"{found.identical} of {found.recorded} recordings identical, {verify_s:.0f} s")
        reasons = Counter(
            one.get("unusable") or f"{one['path']}: {one['summary'][:200]}"
            for one in found.verified["replays"]
            if not one["exact"]
        )
        for reason, many in reasons.most_common(20):
            print(f"{many:6} {reason}")
    return 0 if found.identical == found.recorded >= count else 1


if __name__ == "__main__":
    sys.exit(main())
