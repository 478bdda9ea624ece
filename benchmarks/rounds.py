"""Rounds: variants of one application as processes that take turns at the same requests.

So each meets the same disturbances of the machine, and what differs is the variant.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.unlimited import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Rounds", "measure", "option", "paths"]

Rounds = dict[str, list[tuple[float, float]]]
"""Variant -> (CPU, latency) of each round, in microseconds per request."""


def option(name: str, default: int) -> int:
    """Return a whole number from the command line."""
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def paths() -> dict[str, int]:
    """Return what is asked for -> how often in a round."""
    return {"/empty": 500, "/checkout": option("--requests", 100)}


def measure(
    module: str,
    kind: str,
    variants: Sequence[str],
    *,
    folder: Path,
    url: str,
    recordings: Callable[[str], Path],
    more: Mapping[str, str] | None = None,
    asked: Mapping[str, int] | None = None,
) -> dict[str, Rounds]:
    """Return the rounds of each path.

    Args:
        module: what to run with `--serve KIND VARIANT`; it reads "path count" and answers
            "CPU latency", as `benchmarks.requests.serve` does.
        kind: "asgi" or "wsgi".
        variants: of the application.
        folder: for databases.
        url: of the server that the application calls.
        recordings: variant -> where its recordings go.
        more: environment variables for all of them.
        asked: what is asked for -> how often in a round; default: what `paths` says.
    """
    processes = {
        variant: subprocess.Popen(
            [sys.executable, "-m", module, "--serve", kind, variant],
            env={
                **os.environ,
                **UNLIMITED,
                **(more or {}),
                "BENCH_DB": str(folder / f"{variant}.db"),
                "BENCH_URL": url,
                "RETRACE_RECORDING_PATH": str(recordings(variant)),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for variant in variants
    }
    found: dict[str, Rounds] = {}
    for path, count in (asked or paths()).items():
        rounds: Rounds = {variant: [] for variant in variants}
        for number in range(option("--rounds", 9) + 1):
            for variant, process in processes.items():
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{path} {count}\n")
                process.stdin.flush()
                cpu, wall = process.stdout.readline().split()
                if number:  # the first round warms up
                    rounds[variant].append((float(cpu), float(wall)))
        found[path] = rounds
    for process in processes.values():
        process.communicate()
    return found
