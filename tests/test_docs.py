"""The documentation can't lie: its code runs, its tables are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retrace_core.settings import SETTINGS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {
    f"{page.relative_to(ROOT)}-{number}": block
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
}


@pytest.mark.parametrize("name", BLOCKS)
def test_code_of_the_documentation_runs(name: str) -> None:
    """Each Python block of a page runs by itself."""
    exec(compile(BLOCKS[name], name, "exec"), {"__name__": "documented"})


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
