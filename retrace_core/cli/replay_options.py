"""Replay's options: what was given on its command line, and how to give it to another process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.replay.earlier import Which
    from retrace_core.replay.matching import Mode

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was given on the command line, besides the recordings."""

    app: str | None
    app_dir: str | None
    apps: str | None
    as_json: bool
    pdb: str | None
    """None, "" for the exception or the divergence, or "FILE:LINE"."""
    debugpy: int | None
    strict: bool
    reveal: bool
    timeout_s: float
    warm: bool | None
    """True replays the earlier recordings of the same process first; None when it diverges."""
    earlier: Which
    """Which of them."""
    flags: dict[str, Any]
    """Feature flags to flip, with their new values."""
    mode: Mode
    live: tuple[str, ...]
    """Kinds of calls that are made live when they have no recorded answer."""
    report: tuple[str, ...] = ()
    """Files to write the report to."""
    as_program: bool = False
    """The recorded program is started, whatever name its application has."""

    def arguments(self, path: Path) -> list[str]:
        """Return the command line after `retrace` that replays one recording alike."""
        given = ["replay", str(path.absolute()), "--timeout", str(self.timeout_s)]
        for name, value in (
            ("--app", self.app),
            ("--app-dir", self.app_dir),
            ("--apps", self.apps),
        ):
            given += [name, value] if value is not None else []
        given += [f"--flag={name}={json.dumps(value)}" for name, value in self.flags.items()]
        given += [] if self.warm is None else ["--warm" if self.warm else "--cold"]
        given += ["--earlier", self.earlier] if self.earlier != "begun" else []
        given += ["--mode", self.mode] if self.mode != "strict" else []
        given += ["--live-on-miss", ",".join(self.live)] if self.live else []
        given += ["--strict"] if self.strict else []
        given += ["--reveal"] if self.reveal else []
        given += ["--program"] if self.as_program else []
        return given

    def restarted(self, path: Path) -> list[str]:
        """Return the whole command line for one recording, debugger and output included."""
        given = self.arguments(path) + (["--json"] if self.as_json else [])
        if self.pdb is not None:
            given += ["--pdb", *([self.pdb] if self.pdb else [])]
        if self.debugpy is not None:
            given += ["--debugpy", str(self.debugpy)]
        for file in self.report:
            given += ["--report", file]
        return given

    @property
    def interactive(self) -> bool:
        """True when a person looks at it step by step."""
        return self.pdb is not None or self.debugpy is not None
