"""An application of the corpus: what to install, how to serve it, and what its users ask."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.corpus.visitor import Visitor

__all__ = ["Application", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application from PyPI, as `apps/NAME/drive.py` describes it.

    In `server` and `environment` stand {port}, {state} (a folder), {here} (the application's
    folder in the corpus), {postgresql} (host:port/database), {mariadb} (user:password@host:port/
    database), {redis} (an address), {origin}.
    """

    name: str
    framework: str
    uses: tuple[str, ...]
    """What it asks of the world, for the table: SQLite, files, ..."""
    packages: tuple[str, ...]
    """What pip installs, each with its version: NAME==VERSION."""
    server: tuple[str, ...]
    """The command after `retrace run --`."""
    drive: Callable[[Visitor], None]
    """Makes the requests."""
    prepare: Callable[[Place], None] | None = None
    """Runs before the server, and is not recorded: migrations, first data."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    starts_in_state: bool = False
    """True starts the server in its folder for state: it keeps files where it is started."""
    needs: frozenset[str] = frozenset()
    """Servers: postgresql, mariadb, redis."""
    origin: type[BaseHTTPRequestHandler] | None = None
    """Answers what the application asks over HTTP; gone during replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an application is installed and keeps its state."""

    python: Path
    """Interpreter of its environment; its programs lie beside it."""
    state: Path
    here: Path
    filled: Mapping[str, str]
    """What stands for {port} and so on."""
    own: Mapping[str, str]
    """Environment variables that the application asks for."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment for its programs, with nothing of Retrace's in it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RETRACE")}
        kept.pop("PYTHONPATH", None)
        path = f"{self.python.parent}{os.pathsep}{kept.get('PATH', '')}"
        return {**kept, "PATH": path, "PYTHONUTF8": "1", **self.own}

    def fill(self, text: str) -> str:
        """Return a text with {port} and so on filled in."""
        for name, value in self.filled.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def run(self, *command: str, given: str = "") -> None:
        """Run a program of the application's; one that fails ends the run, with what it said."""
        done = subprocess.run(
            [self.fill(part) for part in command],
            cwd=self.state,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{command[0]} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
