"""What `retrace replay` reports of a recording, in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def replayed(path: Path, *options: str) -> Any:
    """Return what `retrace replay` reports of a recording."""
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "replay", str(path), "--json", *options],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["recordings"][0]
