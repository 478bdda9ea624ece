"""What `retrace replay` says of a recording, in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TIMEOUT_S = 100


def run_replay(
    place: Path | str, *options: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `retrace replay`, and return how it ended.

    Args:
        place: of the recording, or its trace.
        options: of the command.
        cwd, env: in which folder, with which variables; default: those of the test.
    """
    return subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "replay", str(place), *options],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )


def replays(
    place: Path | str, *options: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Fail unless the replay is identical; args: as of `run_replay`."""
    done = run_replay(place, *options, cwd=cwd, env=env)
    assert done.returncode == 0, f"{place}: {done.stdout}{done.stderr}"


def reported(
    place: Path | str, *options: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Any:
    """Return what it reports, with its recordings; args: as of `run_replay`."""
    done = run_replay(place, "--json", *options, cwd=cwd, env=env)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["exit_status"] == done.returncode
    return report


def replayed(place: Path | str, *options: str, cwd: Path | None = None) -> Any:
    """Return what it reports of the recording, of several the first; args: as of `run_replay`."""
    return reported(place, *options, cwd=cwd)["recordings"][0]
