"""Stores: 2,000 kept recordings of 4 KB per second, to a folder and to an S3 on loopback.

Usage: python -m benchmarks.stores [--rate 2000] [--seconds 6] [--rounds 3]
Each round is a process of its own, in which requests come at the rate, one at a time. "off" is
the same application, unrecorded. "s3" packs, as by default at this rate; "s3, no packs" puts an
object for each recording, for a tenth of the time: the emulator takes some 280 a second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BODY_BYTES = 3_700
"""With what a recording has besides, about 4 KB; random, so that it does not compress."""


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer after some work: about what a small handler with templates does."""
    rows = [{"id": n, "name": f"item {n}", "price": n * 1.25} for n in range(60)]
    json.loads(json.dumps(rows))
    body = os.urandom(BODY_BYTES)
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body]


def serve(rate: float, seconds: float) -> dict[str, Any]:
    """Send requests at the rate; return how long they took, and what became of recordings."""
    import retrace_mw
    from retrace_core import spooling, writer
    from retrace_core.stats import stats

    wrapped = retrace_mw.RetraceMiddleware(application)
    took: list[float] = []

    def ask() -> None:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        answer: Any = wrapped(environ, lambda *_: None)
        for _ in answer:
            pass
        close = getattr(answer, "close", None)
        if close is not None:
            close()

    for _ in range(200):
        ask()
    begun = time.perf_counter()
    count = int(rate * seconds)
    for number in range(count):
        due = begun + number / rate
        while (now := time.perf_counter()) < due:
            time.sleep(min(due - now, 0.0005))
        ask()
        took.append(time.perf_counter() - max(due, now))
    served_s = time.perf_counter() - begun
    writer.flush(30)
    waits = 0
    if spooling._uploader is not None:
        spool = spooling._uploader.shipper.spool
        waits = sum(one.count for one in (*spool.list(), *spool.list("claimed")))
        while spool.list() or spool.list("claimed"):
            time.sleep(0.02)
    while stats().get("shipped", 0) < (overflowed := stats().get("overflowed", 0)):
        time.sleep(0.02)
    done_s = time.perf_counter() - begun
    took.sort()
    found = stats()
    return {
        "rate": count / served_s,
        "p50": took[len(took) // 2],
        "p95": took[int(len(took) * 0.95)],
        "p99": took[int(len(took) * 0.99)],
        "kept": found.get("written", 0),
        "bytes": found.get("written_bytes", 0),
        "shipped": found.get("shipped", 0),
        "waits": waits,
        "overflowed": overflowed,
        "drained_s": done_s - served_s,
        "dropped": sum(n for name, n in found.items() if name.startswith("dropped.")),
        "background_cpu": (found.get("writer_cpu_us", 0) + found.get("ship_cpu_us", 0)) / 1e6,
    }


def round_of(mode: str, rate: float, seconds: float, url: str, folder: str) -> dict[str, Any]:
    """Run one mode in a process of its own."""
    environment = {
        **os.environ,
        "RETRACE": "0" if mode == "off" else "1",
        "RETRACE_SAMPLE_RATE": "1",
        "RETRACE_BOOT_TAPE": "0",
        "RETRACE_RECORDING_PATH": url if "s3" in mode else f"{folder}/recordings",
        "RETRACE_SPOOL": f"{folder}/spool" if "s3" in mode else "",
        "RETRACE_PACK_FROM": "0" if "no packs" in mode else "8",
        "RETRACE_QUEUE_BYTES": str(64 << 20),
        **dict.fromkeys(
            (
                "RETRACE_LIMITS_SHARE",
                "RETRACE_LIMITS_PER_SECOND",
                "RETRACE_LIMITS_BYTES_PER_HOUR",
                "RETRACE_LIMITS_PER_ROUTE_PER_MINUTE",
                "RETRACE_LIMITS_OVERHEAD",
                "RETRACE_LIMITS_AT_ONCE",
            ),
            "0",
        ),
    }
    command = [sys.executable, "-m", "benchmarks.stores", "--serve"]
    seconds = seconds / 10 if "no packs" in mode else seconds
    command += ["--rate", str(rate), "--seconds", str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "s3" in mode:
        from retrace_core.store import open_store

        found["objects"] = sum(1 for _ in open_store(url).blobs.list())
    return found


def main() -> None:
    """Run all modes in turn, and print what each came to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true")
    given = parser.parse_args()
    if given.serve:
        print(json.dumps(serve(given.rate, given.seconds)))
        return
    from tests.stores.emulators import S3Emulator, running

    modes = ("off", "folder", "s3", "s3, no packs")
    found: dict[str, list[dict[str, Any]]] = {mode: [] for mode in modes}
    # Nothing is removed before the end: a file system without a journal (ext4) passes over what
    # was deleted in the last minutes, one by one, with each file and folder that it makes.
    with running(S3Emulator) as server, tempfile.TemporaryDirectory() as top:
        server.make_bucket("recordings")
        os.environ.update(server.environment())
        for number in range(given.rounds):
            for mode in modes:
                url = f"s3://recordings/{number}-{modes.index(mode)}"
                folder = f"{top}/{number}-{modes.index(mode)}"
                found[mode].append(round_of(mode, given.rate, given.seconds, url, folder))
    print(f"{Path(__file__).name}: {given.rate:g} requests per second, {given.seconds:g} s each")
    for mode, rounds in found.items():
        print(f"  {mode:13}", *_words(rounds, found["off"]), sep="  ")


def _words(rounds: list[dict[str, Any]], base: list[dict[str, Any]]) -> Iterable[str]:
    def middle(name: str, of: list[dict[str, Any]] = rounds) -> float:
        return statistics.median(one[name] for one in of)

    yield f"{middle('rate'):.0f}/s"
    for name in ("p50", "p95", "p99"):
        ratio = statistics.median(
            one[name] / other[name] for one, other in zip(rounds, base, strict=True)
        )
        yield f"{name} {middle(name) * 1e6:.0f} us ({ratio:.2f}x)"
    if middle("kept"):
        yield f"kept {middle('kept'):.0f} of {middle('bytes') / middle('kept'):.0f} bytes"
        yield f"dropped {max(one['dropped'] for one in rounds)}"
        each = statistics.median(one["background_cpu"] / one["kept"] for one in rounds)
        yield f"background CPU {each * 1e6:.0f} us each"
    if middle("overflowed"):
        yield f"{middle('overflowed'):.0f} overflowed, in place {middle('drained_s'):.1f} s later"
    elif middle("shipped"):
        yield f"shipped {middle('shipped'):.0f} in {middle('objects'):.0f} objects"
        yield f"{middle('waits'):.0f} waited at the end, shipped {middle('drained_s'):.1f} s later"


if __name__ == "__main__":
    main()
