"""The documentation can't lie: its code runs, its tables are the code's."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from werkzeug.test import Client

from retrace_core import writer
from retrace_core.settings import SETTINGS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {
    f"{page.relative_to(ROOT)}-{number}": block
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
}


FILE = re.compile(r"# (\w+\.py)\n")
"""The first line of a block that is a file, to be read together with others of its page."""
ALONE = [name for name, block in BLOCKS.items() if not FILE.match(block)]


@pytest.mark.parametrize("name", ALONE)
def test_code_of_the_documentation_runs(name: str) -> None:
    """Each Python block of a page runs by itself."""
    exec(compile(BLOCKS[name], name, "exec"), {"__name__": "documented"})


def write_files(page: str, folder: Path) -> list[str]:
    """Write the blocks of a page that are files, and return their names."""
    blocks = [block for name, block in BLOCKS.items() if name.startswith(page)]
    named = {found[1]: block for block in blocks if (found := FILE.match(block))}
    for name, block in named.items():
        (folder / name).write_text(block)
    return sorted(named)


def run_pytest(folder: Path) -> str:
    """Run the tests in a folder in a process of their own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def test_the_boundary_of_the_documentation_works(tmp_path: Path) -> None:
    """docs/boundaries.md: library, boundary and test, put together by the entry point."""
    page = (ROOT / "docs" / "boundaries.md").read_text()
    assert write_files("docs/boundaries.md", tmp_path) == [
        "retrace_weather.py",
        "test_weather.py",
        "weather.py",
    ]
    (toml,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    ((group, entries),) = tomllib.loads(toml)["project"]["entry-points"].items()
    info = tmp_path / "weather-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weather\nVersion: 1\n")
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    assert "2 passed" in run_pytest(tmp_path)


def test_recordings_as_tests(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/replay.md: the test file replays each recording that is put beside it."""
    assert write_files("docs/replay.md", tmp_path) == ["test_recordings.py"]
    shop = "import time\nfrom retrace_mw import RetraceMiddleware\n"
    shop += "def application(environ, start_response):\n    start_response('200 OK', [])\n"
    shop += "    return [str(time.time()).encode()]\napp = RetraceMiddleware(application)\n"
    (tmp_path / "shop.py").write_text(shop)
    monkeypatch.syspath_prepend(tmp_path)
    app = importlib.import_module("shop").app
    monkeypatch.delitem(sys.modules, "shop")
    for _ in range(2):
        Client(app).get("/", buffered=True)
    assert writer.flush()
    assert "2 passed" in run_pytest(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page names a file that is there."""
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def settings_table() -> str:
    """Return docs/settings.md as the settings say it."""
    rows = [
        f"| `{s.name}` | `{s.variable}` | `{s.default!r}` | {s.doc}"
        f"{f' In {s.unit}.' if s.unit else ''} |"
        for s in SETTINGS
    ]
    head = "# Settings\n\nA keyword of the middleware goes before the environment, which goes\n"
    head += "before the table `[retrace]` of the TOML file named by `RETRACE_CONFIG`.\n\n"
    return (
        head
        + "| keyword, TOML key | environment | default | what |\n|---|---|---|---|\n"
        + ("\n".join(rows) + "\n")
    )


def test_the_settings_are_documented() -> None:
    """docs/settings.md lists every setting, with its default."""
    assert (ROOT / "docs" / "settings.md").read_text() == settings_table()
