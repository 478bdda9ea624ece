"""The documentation can't lie: its code runs, its tables are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retrace_core.settings import SETTINGS

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_code_of_the_readme_runs(block: str) -> None:
    """Each Python block of the README runs by itself."""
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


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
