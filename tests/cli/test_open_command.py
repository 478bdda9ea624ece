"""`retrace open`: a launch configuration that replays at the press of a key."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Shop = Callable[..., Any]
BUY = "trace-buy/shop"


def configurations(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a folder's launch.json."""
    content = json.loads((folder / ".vscode" / "launch.json").read_text())
    found: list[dict[str, Any]] = content["configurations"]
    return found


def test_entry_is_written(shop: Shop, tmp_path: Path) -> None:
    """The entry runs this Python's replay of the recording, library code included."""
    done = shop("open", BUY, "--dir", tmp_path)
    assert done.returncode == 0, done.stderr
    (entry,) = configurations(tmp_path)
    assert entry["module"] == "retrace_core.cli"
    assert entry["args"][0] == "replay"
    assert entry["justMyCode"] is False


def test_other_entries_stay(shop: Shop, tmp_path: Path) -> None:
    """What is in launch.json stays, and writing again adds nothing twice."""
    (tmp_path / ".vscode").mkdir()
    mine = {"version": "0.2.0", "configurations": [{"name": "Mine", "type": "node"}], "inputs": [1]}
    (tmp_path / ".vscode" / "launch.json").write_text(json.dumps(mine))
    shop("open", BUY, "--dir", tmp_path)
    shop("open", BUY, "--dir", tmp_path)
    assert [entry["name"] for entry in configurations(tmp_path)] == [
        "Mine",
        "Retrace: shop GET /buy (trace-bu)",
    ]
    assert json.loads((tmp_path / ".vscode" / "launch.json").read_text())["inputs"] == [1]


def test_launch_file_with_comments_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    """Comments would be lost, so that a workspace file is written instead."""
    (tmp_path / ".vscode").mkdir()
    with_comments = '{\n  // mine\n  "configurations": []\n}\n'
    (tmp_path / ".vscode" / "launch.json").write_text(with_comments)
    done = shop("open", BUY, "--dir", tmp_path)
    assert (tmp_path / ".vscode" / "launch.json").read_text() == with_comments
    workspace = json.loads((tmp_path / "retrace-trace-buy.code-workspace").read_text())
    assert len(workspace["launch"]["configurations"]) == 1
    assert "retrace-trace-buy.code-workspace" in done.stdout


def test_a_trace_gives_an_entry_for_each_service(shop: Shop, tmp_path: Path) -> None:
    """Every recording of a trace can be chosen."""
    shop("open", "trace-buy", "--dir", tmp_path)
    assert len(configurations(tmp_path)) == 2


def test_the_entry_replays_under_debugpy(shop: Shop, tmp_path: Path) -> None:
    """What an editor would run of the entry is identical, under its debugger."""
    shop("open", BUY, "--dir", tmp_path)
    (entry,) = configurations(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = subprocess.run(
        [
            *[entry["python"], "-m", "debugpy", "--listen", f"127.0.0.1:{port}"],
            *["-m", entry["module"], *entry["args"]],
        ],
        cwd=entry["cwd"],
        env={
            **os.environ,
            "SHOP_DATABASE": "/nowhere/shop.db",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical  shop" in done.stdout
    assert entry["python"] == sys.executable


def test_missing_editor_is_one_line(shop: Shop, tmp_path: Path) -> None:
    """--launch without VS Code's command says so."""
    done = shop("open", BUY, "--dir", tmp_path, "--launch", env={"PATH": "/nowhere"})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "`code` is not on PATH" in done.stderr
