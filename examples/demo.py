"""The demo: record two services, take the world away, and replay every request.

Run by `scripts/demo`. It needs nothing but the packages of the dependency group "demo", uses
loopback only, and ends by itself within half a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.tree import Tree

from retrace_core import load

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RECORDINGS = ROOT / "recordings"
WORK = ROOT / "build" / "demo"
ITEMS = ("lamp", "chair", "kettle", "lamp")

console = Console(highlight=False, soft_wrap=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(command: list[str], **environment: str) -> subprocess.Popen[bytes]:
    """Start a service in the examples' folder, its output in a log file."""
    log = (WORK / f"{len(list(WORK.glob('*.log')))}.log").open("wb")
    return subprocess.Popen(
        command, cwd=HERE, env={**os.environ, **environment}, stdout=log, stderr=log
    )


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a service answers."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.05)
    logs = "\n".join(path.read_text() for path in WORK.glob("*.log"))
    raise SystemExit(f"{url} did not come up:\n{logs}")


def start_services() -> tuple[list[subprocess.Popen[bytes]], str]:
    """Start the third party, pricing and storefront; return them and storefront's address."""
    rates, pricing, storefront = free_port(), free_port(), free_port()
    recording = {
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "1",
        "RETRACE_RECORDING_PATH": str(RECORDINGS),
    }
    config = {
        "rates_url": f"http://127.0.0.1:{rates}",
        "pricing_url": f"http://127.0.0.1:{pricing}",
        "pricing_database": str(WORK / "pricing.db"),
        "storefront_database": str(WORK / "storefront.db"),
    }
    (WORK / "services.json").write_text(json.dumps(config))
    python = sys.executable
    third = start([python, "rates_stub.py", str(rates)])
    second = start(
        [python, "-m", "uvicorn", "pricing_fastapi:app", "--port", str(pricing)],
        **recording,
    )
    first = start(
        [python, "-m", "waitress", "--listen", f"127.0.0.1:{storefront}", "storefront_flask:app"],
        **recording,
    )
    wait_for(f"http://127.0.0.1:{rates}/rate/EUR", third)
    wait_for(f"http://127.0.0.1:{pricing}/health", second)
    wait_for(f"http://127.0.0.1:{storefront}/health", first)
    return [third, second, first], f"http://127.0.0.1:{storefront}"


def send_requests(base: str) -> list[tuple[str, int]]:
    """Send the demo's requests; return the trace id and status of each."""
    sent: list[tuple[str, int]] = []
    for item in ITEMS:
        try:
            with urllib.request.urlopen(f"{base}/checkout/{item}", timeout=20) as answer:
                sent.append((answer.headers["X-Trace-ID"], answer.status))
        except urllib.error.HTTPError as error:
            error.close()
            sent.append((error.headers["X-Trace-ID"], error.code))
        trace_id, status = sent[-1]
        colour = "green" if status == 200 else "red"
        console.print(f"   GET /checkout/{item:7} [{colour}]{status}[/]  trace {trace_id}")
    return sent


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the services, and wait until they have written what they recorded."""
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        process.wait(timeout=20)


def show_tree(traces: list[str]) -> None:
    """Print the recordings of these traces as a tree."""
    tree = Tree("recordings/")
    for trace in traces:
        branch = tree.add(f"{trace}/")
        for path in sorted((RECORDINGS / trace).glob("*/*.bin")):
            branch.add(f"{path.parent.name}/{path.name}   [dim]{path.stat().st_size} bytes[/]")
    console.print(tree)


def replay(path: Path) -> dict[str, Any]:
    """Replay one recording in a fresh process; return what it reports."""
    command = [sys.executable, "-m", "retrace_core.cli", "replay", str(path), "--json"]
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False
    )
    if not done.stdout:
        raise SystemExit(f"{path}: {done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return {**report, **report["recordings"][0]}


def replay_all(traces: list[str]) -> bool:
    """Replay every recording of these traces and print the outcome; True when all are identical."""
    good = True
    for trace in traces:
        for path in sorted((RECORDINGS / trace).glob("*/*.bin")):
            report = replay(path)
            verdict = "[green]identical[/]" if report["identical"] else "[red]divergent[/]"
            console.print(f"   {trace[:8]}…/{path.parent.name:10} {verdict}")
            failure = load(path).failure
            if failure is not None and report["identical"]:
                for frame in failure.frames[-2:]:
                    name = Path(frame.file).name
                    console.print(f"      [dim]{name}:{frame.line} in {frame.function}[/]")
                    console.print(f"      [dim]    {frame.source}[/]", markup=True)
                console.print(
                    f"      [yellow]{failure.type}: {failure.message}[/]  (the same exception,"
                    " the same traceback)"
                )
            if not report["identical"]:
                console.print(json.dumps(report, indent=2)[-2000:])
                good = False
    return good


def main() -> int:
    """Run the demo; return the exit status."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    console.print(
        "\n[bold]1. Two services run[/]: storefront (Flask) calls pricing (FastAPI), which"
    )
    console.print("   calls a third party. Each has one line of middleware and a database.\n")
    processes, base = start_services()
    try:
        console.print("[bold]2. A few requests[/] - one of them fails, by the clock, by chance and")
        console.print("   by a row of the database:\n")
        sent = send_requests(base)
    finally:
        stop(processes)
    traces = [trace for trace, _ in sent]
    console.print("\n[bold]3. What was recorded[/]: one file for each service of each request\n")
    show_tree(traces)
    for database in WORK.glob("*.db"):
        database.unlink()
    console.print(
        "\n[bold]4. The world is gone[/]: services stopped, third party stopped, databases"
    )
    console.print("   deleted. Each recording is now replayed through the same code.\n")
    good = replay_all(traces)
    failed = next((trace for trace, status in sent if status >= 500), traces[0])
    console.print("\n[bold]5. Now you[/]: the failing request, as often as you like\n")
    recording = f"recordings/{failed}/storefront/trace.bin"
    for command in (
        ".venv/bin/retrace ls",
        f".venv/bin/retrace show {recording}",
        f".venv/bin/retrace replay {recording} --app-dir examples",
        f".venv/bin/retrace replay {recording} --app-dir examples --pdb",
        f".venv/bin/retrace open {recording}   # then F5 in VS Code",
    ):
        console.print(f"   {command}")
    console.print()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
