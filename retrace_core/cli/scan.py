"""The command `scan`: which recordings have secrets in clear text, and where."""

from __future__ import annotations

from pathlib import Path

import click

from retrace_core.cli.find import find_all, recording_argument, recordings_option
from retrace_core.cli.screen import Screen, print_json, progress
from retrace_core.redaction.in_force import redactor
from retrace_core.redaction.scanning import scan
from retrace_core.settings import resolve
from retrace_core.trace_file.load import read_plain

__all__ = ["command"]


@click.command(
    name="scan",
    short_help="Search recordings for secrets that are in clear text.",
    epilog="""\b
Examples:
  retrace scan recordings              all recordings in a folder, and boot tapes
  retrace scan 6a5b04 --json
  RETRACE_CONFIG=retrace.toml retrace scan recordings   by your own rules, too
\b
Exit status: 0 none found, 1 some found, 2 a recording can't be read.
""",
)
@recording_argument(several=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@recordings_option
def command(recording: tuple[str, ...], as_json: bool, recordings: str | None) -> int:
    """Search recordings for secrets, by the rules that recording goes by.

    What is found is told by its place and by the rule that finds it, never by its value. The
    pseudonyms of a masked recording are no secrets. Each RECORDING may be a whole folder.
    """
    finder = redactor(resolve())
    found: list[dict[str, object]] = []
    paths = everything(recording, recordings)
    with progress("scanning", len(paths)) as step:
        for path in paths:
            frames = read_plain(path)
            found += [
                {"file": str(path), "where": one.where, "rule": one.rule, "times": one.times}
                for one in scan(frames, finder, str(path))
            ]
            step()
    if as_json:
        print_json(found)
    else:
        _show(found, len(paths))
    return 1 if found else 0


def everything(texts: tuple[str, ...], recordings: str | None) -> list[Path]:
    """Return the files that are meant: of a folder all in it, boot tapes among them."""
    if not texts:
        raise click.UsageError("Missing argument RECORDING")
    found: list[Path] = []
    for text in texts:
        folder = Path(text)
        inside = sorted(folder.rglob("*.bin")) if folder.is_dir() else []
        found += inside or find_all([text], recordings)
    return list(dict.fromkeys(found))


def _show(found: list[dict[str, object]], count: int) -> None:
    screen = Screen()
    if not found:
        screen.line(f"no secrets in clear text in {count} recordings", "green")
        return
    screen.table(
        ("RECORDING", "WHERE", "RULE", "TIMES"),
        (
            [
                "/".join(Path(str(one["file"])).parts[-3:]),
                str(one["where"]),
                (str(one["rule"]), "red"),
                str(one["times"]),
            ]
            for one in found
        ),
        folding=("RECORDING", "WHERE"),
    )
