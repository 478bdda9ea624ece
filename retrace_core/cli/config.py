"""The command `config`: every setting, its value, and where it came from."""

from __future__ import annotations

from typing import cast

import click

from retrace_core.cli.screen import Screen, note, print_json
from retrace_core.settings import SETTINGS, Settings, resolve, unknown_variables

__all__ = ["command", "setting_text"]


@click.command(
    name="config",
    short_help="Show every setting, and where it came from.",
    epilog="""\b
Examples:
  retrace config
  RETRACE_CONFIG=/etc/retrace.toml retrace config --json
""",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def command(as_json: bool) -> int:
    """Show every setting, its value, and where it came from.

    A keyword argument of the middleware wins over the environment, and the environment over
    the file RETRACE_CONFIG. Keyword arguments are in the application's code, and not seen here.
    """
    settings = resolve()
    if as_json:
        print_json(
            [
                {
                    "name": setting.name,
                    "variable": setting.variable,
                    "value": setting_text(settings, setting.name)
                    if setting.secret
                    else getattr(settings, setting.name),
                    "origin": settings.origin(setting.name),
                    "default": setting.default,
                    "unit": setting.unit,
                    "doc": setting.doc,
                }
                for setting in SETTINGS
            ]
        )
        return 0
    Screen().table(
        ("SETTING", "VALUE", "FROM", "WHAT IT DOES"),
        (
            (
                (setting.variable, "bold"),
                setting_text(settings, setting.name),
                settings.origin(setting.name).replace(f" {setting.variable}", ""),
                (setting.doc, "dim"),
            )
            for setting in SETTINGS
        ),
        folding=("VALUE", "FROM", "WHAT IT DOES"),
        droppable=("WHAT IT DOES",),
    )
    for name, advice in unknown_variables().items():
        note(f"{name} is no setting: use {advice}")
    return 0


def setting_text(settings: Settings, name: str) -> str:
    """Return the value of a setting as a user would write it, with its unit."""
    value = getattr(settings, name)
    setting = next(setting for setting in SETTINGS if setting.name == name)
    unit = setting.unit
    if setting.secret:
        return "(set)" if value else "(empty)"
    if isinstance(value, tuple):
        listed = cast("tuple[object, ...]", value)
        return ", ".join(map(str, listed)) or "(empty)"
    if isinstance(value, bool):
        return "1" if value else "0"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip() or "(empty)"
