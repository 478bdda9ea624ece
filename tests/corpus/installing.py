"""Installing: one environment for each application, made once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.corpus.application import Application

__all__ = ["CHECKOUT", "add_package", "environment_of"]

CHECKOUT = Path(__file__).parents[2]


def environment_of(application: Application, cache: Path) -> Path:
    """Return the interpreter of an application's environment, which is made when it is not there.

    This checkout is put on its path, with its compiled parts, so that all environments run the
    same build of it.
    """
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    wanted = [*application.packages, *project["dependencies"]]
    key = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    folder = cache / f"{application.name}-{key}"
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)], folder)
        _run([str(python), "-m", "pip", "install", "--quiet", *wanted], folder)
        stamp.touch()
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "retrace_checkout.pth").write_text(f"{CHECKOUT}\n")
    return python


def add_package(python: Path, name: str) -> None:
    """Install one package more into an environment, where it is not there."""
    _run([str(python), "-m", "pip", "install", "--quiet", name], python.parents[1])


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{folder.name} could not be made:\n{done.stderr[-3000:]}")
