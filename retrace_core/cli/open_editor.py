"""The command `open`: a launch configuration, so that one key replays under an editor."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from retrace_core.cli.apps import App, for_each, locate
from retrace_core.cli.find import find, recording_argument, recordings_option
from retrace_core.cli.screen import Screen
from retrace_core.errors import RetraceError
from retrace_core.trace_file import load

if TYPE_CHECKING:
    from retrace_core.recording import Header

__all__ = ["command"]


@click.command(
    name="open",
    short_help="Write a VS Code configuration that replays it.",
    epilog="""\b
Examples:
  retrace open 6a5b04/storefront                it says what to open, then F5
  retrace open 6a5b04/storefront --dir ~/src/shop --launch
""",
)
@recording_argument()
@click.option("--app", metavar="MODULE:ATTRIBUTE", help="The application, as uvicorn names it.")
@click.option("--app-dir", metavar="DIR", help="Folder to import it from.")
@click.option("--apps", metavar="FILE", help="Mapping of services to apps; default ./retrace.toml.")
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Folder that the editor opens; default: that of the application.",
)
@click.option("--launch", is_flag=True, help="Start VS Code there.")
@recordings_option
def command(
    recording: str,
    app: str | None,
    app_dir: str | None,
    apps: str | None,
    folder: str | None,
    launch: bool,
    recordings: str | None,
) -> int:
    """Write a VS Code configuration that replays RECORDING under its debugger.

    It goes into .vscode/launch.json beside the entries that are there. A launch.json with
    comments is left as it is, and a retrace-TRACE.code-workspace is written instead.

    RECORDING is the path of a trace file, the folder of a trace, a trace id or the beginning
    of one (6 characters or more), or TRACE/SERVICE.
    """
    found = [(path, load(path).header) for path in find(recording, recordings)]
    named = for_each(app, [header for _, header in found])
    located = [
        (path, header, locate(header, meant, app_dir, apps))
        for (path, header), meant in zip(found, named, strict=True)
    ]
    root = Path(folder or located[0][2].folder).absolute()
    if not root.is_dir():
        raise RetraceError(f"folder {root} is not there; give the one to open with --dir")
    entries = [_entry(path.absolute(), header, name) for path, header, name in located]
    target = _write(root, entries, found[0][1].folder or found[0][1].trace_id)
    screen = Screen()
    screen.spans("wrote ", (str(target), "bold"))
    for entry in entries:
        screen.line(f"  {entry['name']}")
    opened = target if target.suffix == ".code-workspace" else root
    screen.line(
        f"open it with: code {shlex.quote(str(opened))}; set a breakpoint, choose the entry under"
        " Run and Debug, press F5"
    )
    if launch:
        _launch(opened)
    return 0


def _entry(path: Path, header: Header, app: App) -> dict[str, Any]:
    which = ["--program"] if app.program is not None else ["--app", app.name]
    trace = (header.folder or header.trace_id)[:8]
    return {
        "name": f"Retrace: {header.service} {header.method} {header.path} ({trace})",
        "type": "debugpy",
        "request": "launch",
        "module": "retrace_core.cli",
        "args": ["replay", str(path), *which, "--app-dir", app.folder],
        "python": sys.executable,
        "cwd": app.folder,
        "console": "integratedTerminal",
        "justMyCode": False,
        "subProcess": True,
    }


def _write(root: Path, entries: list[dict[str, Any]], trace: str) -> Path:
    """Add the entries to the folder's launch.json, or make a workspace; returns the file."""
    target = root / ".vscode" / "launch.json"
    content = _existing(target)
    if content is None:
        workspace = root / f"retrace-{trace}.code-workspace"
        _replace(
            workspace,
            {
                "folders": [{"path": "."}],
                "launch": {"version": "0.2.0", "configurations": entries},
            },
        )
        return workspace
    names = {entry["name"] for entry in entries}
    others = [one for one in content["configurations"] if one.get("name") not in names]
    _replace(target, {**content, "configurations": [*others, *entries]})
    return target


def _existing(target: Path) -> dict[str, Any] | None:
    """Return what is in a launch.json, or None when it can't be added to without loss."""
    try:
        text = target.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {"version": "0.2.0", "configurations": []}
    except (UnicodeDecodeError, NotADirectoryError):
        return None
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    configurations: Any = cast("dict[str, Any]", content).setdefault("configurations", [])
    if isinstance(configurations, list):
        if all(isinstance(one, dict) for one in configurations):
            return cast("dict[str, Any]", content)
    return None


def _replace(target: Path, content: dict[str, Any]) -> None:
    """Write the file whole, or leave what was there."""
    target.parent.mkdir(exist_ok=True)
    place = target.resolve()
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".retrace-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=4, ensure_ascii=False) + "\n")
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise


def _launch(what: Path) -> None:
    editor = shutil.which("code")
    if editor is None:
        raise RetraceError("VS Code's command `code` is not on PATH; open the folder by hand")
    subprocess.run([editor, str(what)], check=False)
