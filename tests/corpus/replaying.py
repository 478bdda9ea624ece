"""Replaying: each recording in a process of its own, which may hang and is ended then.

The command is the one that an engineer types. It replays a recording alone; where that
diverges it runs the earlier recordings of the same worker first, and says so.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.corpus.installing import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.visitor import Asked

__all__ = ["TIMEOUT_S", "Replayed", "replay"]

TIMEOUT_S = 120.0
_WARMED = re.compile(r"(\d+) (?:earlier )?requests of its process .*were run first")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one recording."""

    asked: Asked
    exit_status: int
    """0 identical, 1 divergent, 2 unusable, -1 not recorded or hanging."""
    cause: str
    """The first line of why it is not identical."""
    kind: str = ""
    """Of the event at which it diverged, where there is one."""
    warmed: int = 0
    """How many earlier requests of its worker were run first."""

    @property
    def identical(self) -> bool:
        """True where the replay was identical, alone or after earlier requests."""
        return self.exit_status == 0

    @property
    def alone(self) -> bool:
        """True where it was identical with nothing run before it."""
        return self.identical and not self.warmed


def replay(
    asked: Asked, recordings: Path, python: Path, *, identity: Path | None = None
) -> Replayed:
    """Replay the recording of one request by the command.

    Args:
        asked: the request.
        recordings: where the application's recordings are.
        python: interpreter of the application's environment.
        identity: file of the key that opens what is sealed; None reads what all can read.
    """
    path = recordings / asked.name / "app" / "trace.bin"
    if not path.exists():
        return Replayed(asked, -1, "was not recorded")
    command = [str(python), "-m", "retrace_core.cli", "replay", str(path), "--json"]
    command += ["--identity", str(identity)] if identity is not None else []
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RETRACE", "PYTHON"))
    }
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, complained = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, complained = process.communicate()
        return Replayed(asked, -1, f"the replay hung, and was ended after {TIMEOUT_S:.0f} s")
    try:
        report = json.loads(said)["recordings"][0]
    except (ValueError, LookupError):
        lines = complained.strip().splitlines() or ["nothing was said"]
        return Replayed(asked, process.returncode, lines[-1])
    warmed = next(filter(None, map(_WARMED.search, report["notes"])), None)
    if process.returncode == 0:
        return Replayed(asked, 0, "", warmed=int(warmed[1]) if warmed else 0)
    cause, kind = _cause(report)
    return Replayed(asked, process.returncode, cause, kind)


def _cause(report: dict[str, Any]) -> tuple[str, str]:
    divergence = report.get("divergence") or {}
    asked = divergence.get("asked") or {}
    text = str(report.get("summary") or report.get("error") or "unknown").splitlines()[0]
    return text, str(asked.get("kind", ""))
