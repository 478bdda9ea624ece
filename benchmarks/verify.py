"""How many recordings a second `retrace verify` replays, by the way they are kept apart.

    python -m benchmarks.verify [RECORDINGS] [JOBS]

A FastAPI application that reads SQLite twice in each request is recorded and its database
removed; then the same folder is verified in each way, in one run. What counts is the ratio.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

SHOP = """
import os, sqlite3, time
from fastapi import FastAPI
from retrace_mw import RetraceMiddleware

api = FastAPI()

@api.get("/{item}")
def buy(item: int):
    with sqlite3.connect(os.environ["SHOP_DATABASE"]) as connection:
        name = connection.execute("SELECT name FROM items WHERE id = ?", (item % 9,)).fetchone()
        stock = connection.execute("SELECT COUNT(*) FROM items").fetchone()
    return {"item": name, "stock": stock, "at": time.time()}

app = RetraceMiddleware(api, service="shop")
"""

RECORD = """
import os, sqlite3, sys
import warnings
warnings.simplefilter('ignore')
from starlette.testclient import TestClient
import shop

with sqlite3.connect(os.environ["SHOP_DATABASE"]) as connection:
    connection.execute("CREATE TABLE items (id, name)")
    connection.executemany("INSERT INTO items VALUES (?, ?)", [(n, f"item {n}") for n in range(9)])
client = TestClient(shop.app)
for number in range(int(sys.argv[1])):
    assert client.get(f"/{number}").status_code == 200
"""


def main() -> None:
    """Record, then verify in each way."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(SHOP)
        (folder / "record.py").write_text(RECORD)
        environ = {k: v for k, v in os.environ.items() if not k.startswith("RETRACE")}
        environ |= {
            "PYTHONPATH": str(ROOT),
            "SHOP_DATABASE": str(folder / "shop.db"),
            "RETRACE": "1",
            "RETRACE_SAMPLE_RATE": "1",
            "RETRACE_LIMITS_SHARE": "0",
            "RETRACE_LIMITS_PER_SECOND": "0",
            "RETRACE_LIMITS_PER_ROUTE_PER_MINUTE": "0",
            "RETRACE_LIMITS_OVERHEAD": "0",
        }
        subprocess.run(
            [sys.executable, "record.py", str(count)], cwd=folder, env=environ, check=True
        )
        (folder / "shop.db").unlink()
        print(f"{count} recordings, {jobs} jobs, {os.cpu_count()} processors")
        base = 0.0
        for isolate in ("process", "fork", "none"):
            command = ["verify", "recordings", "--app", "shop:app", "--json", "-"]
            command += ["--isolate", isolate, "--jobs", str(jobs)]
            done = subprocess.run(
                [sys.executable, "-m", "retrace_core.cli", *command],
                cwd=folder,
                env=environ,
                capture_output=True,
                check=False,
            )
            found = json.loads(done.stdout)
            rate = found["recordings"] / found["took_s"]
            base = base or rate
            print(
                f"{isolate:8} {rate:7.1f} a second  ({rate / base:4.1f} times process),"
                f" exact {found['exact']} of {found['recordings']}"
            )


if __name__ == "__main__":
    main()
