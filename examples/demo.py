"""The demo: record two services, take the world away, and replay every request.

Run by `scripts/demo`. It needs nothing but the packages of the dependency group "demo", uses
loopback only, and ends by itself within half a minute. What it makes: `recordings/`, and
`build/demo/` for the databases and the logs of the services.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RECORDINGS = ROOT / "recordings"
WORK = ROOT / "build" / "demo"
ITEMS = ("lamp", "chair", "kettle", "lamp")

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of the demo, and what came back."""

    item: str
    status: int
    trace: str
    error: str
    """What the service wrote to its log about a failure, "" for none."""


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of Retrace: the demo brings its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RETRACE")}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(name: str, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
    """Start a service in the examples' folder, its output in a log file of its name."""
    with (WORK / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=HERE,
            env={**clean_environment(), **environment},
            stdout=log,
            stderr=log,
        )


def wait_for(name: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a service listens; no request is sent, so that none is recorded."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"{name} did not come up:\n{(WORK / f'{name}.log').read_text()}")


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
    uvicorn = ["-m", "uvicorn", "--host", "127.0.0.1", "--port", str(pricing)]
    waitress = ["-m", "waitress", "--listen", f"127.0.0.1:{storefront}"]
    services = {
        "third party": (rates, start("rates", ["rates_stub.py", str(rates)])),
        "pricing": (pricing, start("pricing", [*uvicorn, "pricing_fastapi:app"], **recording)),
        "storefront": (
            storefront,
            start("storefront", [*waitress, "storefront_flask:app"], **recording),
        ),
    }
    processes = [process for _, process in services.values()]
    try:
        for name, (port, process) in services.items():
            wait_for(name, port, process)
    except BaseException:
        stop(processes)
        raise
    return processes, f"http://127.0.0.1:{storefront}"


def send_requests(base: str) -> list[Sent]:
    """Send the demo's requests; return what came back."""
    done: list[Sent] = []
    for item in ITEMS:
        error = ""
        try:
            with urllib.request.urlopen(f"{base}/checkout/{item}", timeout=20) as answer:
                trace, status = answer.headers["X-Trace-ID"], answer.status
        except urllib.error.HTTPError as answer:
            answer.close()
            trace, status = answer.headers["X-Trace-ID"], answer.code
            error = (WORK / "storefront.log").read_text().strip().rpartition("\n")[2]
        done.append(Sent(item, status, trace, error))
        colour = "green" if status == 200 else "bold red"
        console.print(f"   GET /checkout/{item:7} [{colour}]{status}[/]  trace {trace}")
        if error:
            console.print(Text(f"       {error}", style="yellow"))
    return done


def wait_for_recordings(sent: list[Sent]) -> None:
    """Wait until both services have written the last request: they do so after answering."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if all(len(list((RECORDINGS / one.trace).glob("*/trace.bin"))) == 2 for one in sent):
            return
        time.sleep(0.05)


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the services, and wait until they have ended."""
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


def replay(trace: str) -> list[dict[str, Any]]:
    """Replay all recordings of a trace with the command `retrace`; return what it reports."""
    command = [sys.executable, "-m", "retrace_core.cli", "replay", trace, "--json"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if not done.stdout:
        raise SystemExit(f"{trace}: {done.stderr}")
    reports: list[dict[str, Any]] = json.loads(done.stdout)["recordings"]
    return reports


def replay_all(sent: list[Sent]) -> bool:
    """Replay every recording and print the outcome; True when all are identical."""
    good = True
    for one in sent:
        console.print(f"   [bold]$ retrace replay {one.trace[:8]}[/]")
        for report in replay(one.trace):
            good = good and report["identical"]
            if not report["identical"]:
                console.print("   [bold red]divergent[/]")
                console.print(Text(json.dumps(report, indent=2)))
                continue
            served = f"{report['events_served']} answers from the recording, no live call"
            request = f"{report['service']:10}  {report['method']} {report['path']:17}"
            status = report["replayed"]["status"]
            console.print(f"     [green]identical[/]  {request}  {status}  [dim]{served}[/]")
            if report["replayed"]["error"]:
                show_failure(report)
    return good


def show_failure(report: dict[str, Any]) -> None:
    """Print the exception that the replay raised, with the last lines of its traceback."""
    replayed = report["replayed"]
    for frame in replayed["traceback"][-2:]:
        where = f"{Path(frame['file']).name}:{frame['line']} in {frame['function']}"
        console.print(Text(f"       {where}\n           {frame['source']}", style="dim"))
    name = replayed["error"].removeprefix("builtins.")
    console.print(Text(f"       {name}: {replayed['message']}", style="yellow"))
    if replayed == report["recorded"]:
        console.print("       ^ raised again: the same exception, the same traceback")


def show_commands(failed: str) -> None:
    """Print what to try next, ready to be pasted."""
    if os.environ.get("OLDPWD") != str(ROOT):
        console.print(f"   cd {shlex.quote(str(ROOT))}\n")
    retrace, recording = ".venv/bin/retrace", f"{failed[:8]}/storefront"
    for command, what in (
        ("ls", "what was recorded, newest first"),
        (f"show {recording}", "the request, each answer of the world, the exception"),
        (f"replay {recording}", "run it again: the same failure, as often as you like"),
        (f"replay {recording} --pdb", "stop at the exception: `p left, luck, now`, `u`, `q`"),
        (f"open {recording}", "for VS Code: a launch configuration, so that F5 replays it"),
    ):
        console.print(f"   {retrace} {command}")
        console.print(f"       [dim]{what}[/]")


def main() -> int:
    """Run the demo; return the exit status."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    console.print(
        "\n[bold]1. Two services run[/]: storefront (Flask) calls pricing (FastAPI), which calls a"
    )
    console.print("   third party. Each has a database, and one line of middleware.\n")
    processes, base = start_services()
    try:
        console.print("[bold]2. A few requests[/]. One fails, and nobody could make it fail alike")
        console.print("   again: what it raises hangs on the clock, on a random draw, and on a row")
        console.print("   of the database.\n")
        sent = send_requests(base)
        wait_for_recordings(sent)
    finally:
        stop(processes)
    console.print("\n[bold]3. What was recorded[/]: one file for each service of each request\n")
    show_tree([one.trace for one in sent])
    for database in WORK.glob("*.db*"):
        database.unlink()
    console.print(
        "\n[bold]4. The world is gone[/]: the services and the third party are stopped, the"
    )
    console.print("   databases deleted. Each recording is replayed through the same code.\n")
    good = replay_all(sent)
    failed = next((one.trace for one in sent if one.status >= 500), sent[0].trace)
    console.print("\n[bold]5. Now you[/]: paste these\n")
    show_commands(failed)
    console.print("\n   Next: add the middleware to your own service, README.md says how.\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
