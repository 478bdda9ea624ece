"""Each: replays several recordings, every one in a fresh process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

from retrace_core.cli.screen import Cell, Screen, progress
from retrace_core.cli.words import cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["replay_each", "run_apart", "show_each"]

_AT_ONCE = 4
_UNUSABLE = 2


def replay_each(paths: list[Path], arguments: Callable[[Path], list[str]]) -> list[dict[str, Any]]:
    """Replay every recording and return the documents of the reports, in order.

    Args:
        paths: of the trace files.
        arguments: gives the command line after `retrace` that replays one of them.
    """
    workers = min(_AT_ONCE, os.cpu_count() or 1, len(paths))
    with ThreadPoolExecutor(workers) as pool, progress("replaying", len(paths)) as step:
        futures = [pool.submit(_replay, path, arguments(path)) for path in paths]
        for _ in as_completed(futures):
            step()
    return [future.result() for future in futures]


def run_apart(arguments: list[str]) -> tuple[int, str]:
    """Return the exit status of a command in a process of its own, and what it printed.

    Args:
        arguments: the command line after `retrace`.
    """
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout


def _replay(path: Path, arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", *arguments, "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)["recordings"][0]
        return report
    except (ValueError, KeyError, IndexError, TypeError):
        return {
            "file": str(path),
            "identical": False,
            "exit_status": _UNUSABLE,
            "unusable": _complaint(done.stderr.decode("utf-8", "replace"), done.returncode),
        }


def _complaint(stderr: str, status: int) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("retrace: ")]
    if ours:
        return ours[-1].removeprefix("retrace: ")
    last = f": {lines[-1]}" if lines else ""
    return f"its process ended with status {status}{cut(last, 200)}; replay it alone"


def show_each(reports: list[dict[str, Any]]) -> None:
    """Print a table of the verdicts, and how to look closer."""
    screen = Screen()
    screen.table(
        ("VERDICT", "SERVICE", "REQUEST", "RECORDED", "REPLAYED", "IN SHORT"),
        map(_row, reports),
        folding=("REQUEST", "IN SHORT"),
        droppable=("RECORDED", "REPLAYED"),
    )
    failed = [report for report in reports if report["exit_status"] != 0]
    if failed:
        screen.line()
        screen.line("Look closer:", "bold")
    for report in failed:
        screen.line(f"  retrace replay {report['file']}")


def _row(report: dict[str, Any]) -> list[Cell]:
    if "unusable" in report:
        service = report["file"].rsplit("/", 2)[-2] if "/" in report["file"] else ""
        return [("unusable", "bold red"), service, "", "", "", report["unusable"]]
    verdict = ("identical", "green") if report["identical"] else ("divergent", "bold red")
    request = f"{report['method']} {cut(report['path'], 60)}"
    both = [_outcome(report[side]) for side in ("recorded", "replayed")]
    return [verdict, report["service"], request, *both, cut(report["summary"], 160)]


def _outcome(side: dict[str, Any]) -> str:
    return f"{side['status'] or 'no response'} {side['error'].rsplit('.', 1)[-1]}".rstrip()
