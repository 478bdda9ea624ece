"""Holes: what of a recording no boundary covers, and what to do about it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.cli.known_clients import how_to_cover
from retrace_core.cli.words import plural

if TYPE_CHECKING:
    from retrace_core.cli.screen import Screen
    from retrace_core.recording import Header, Hole, Recording

__all__ = ["advice", "hole_note", "show_holes"]

_TOO_LARGE = "file.too_large"
_INSTEAD = {
    "open": "write it with open() or pathlib, which are covered",
    "os.spawn": "use subprocess.run, which is covered",
    "os.posix_spawn": "use subprocess.run, which is covered",
    "subprocess.Popen": "start it by subprocess.Popen or subprocess.run, which are covered",
}


def hole_note(header: Header) -> str:
    """Return a remark on a recording that may not replay because of its holes, or ""."""
    if not header.holes:
        return ""
    return (
        f"{plural(header.holes, 'thing')} went past all boundaries when it was recorded, so that"
        " it may not replay: retrace show lists each, with its line"
    )


def advice(hole: Hole) -> str:
    """Return what to do about one."""
    if hole.operation == _TOO_LARGE:
        return "no more than 4 MiB of a file is recorded: replay has what it begins with"
    known = how_to_cover(hole.library) if hole.library else ""
    if known:
        return f"{hole.library} has no boundary: {known}"
    function = hole.where.function if hole.where is not None else ""
    named = f"{function}, " if function and "<" not in function.rpartition(".")[2] else ""
    declare = f"put @retrace_core.boundary on {named}the function that asks"
    if hole.library:
        return f"{hole.library} has no boundary: {declare}"
    instead = _INSTEAD.get(hole.operation)
    return f"{instead}; or {declare}" if instead else declare


def show_holes(screen: Screen, recording: Recording) -> None:
    """Print what is not covered; nothing where all is."""
    if not recording.holes:
        return
    screen.heading(f"Not covered ({plural(recording.header.holes, 'thing')} past all boundaries)")
    for hole in recording.holes:
        times = f", {hole.times} times" if hole.times > 1 else ""
        screen.spans(("  ", ""), (hole.operation, "yellow"), f" {hole.target}{times}")
        if hole.where is not None:
            screen.line(f"    at {hole.where.file}:{hole.where.line} in {hole.where.function}")
            if hole.where.source:
                screen.line(f"      {hole.where.source}", "dim")
        else:
            screen.line("    on a thread of a library's")
        screen.line(f"    {advice(hole)}")
    more = recording.header.holes - len(recording.holes)
    if more > 0:
        screen.line(f"  and {more} more that are not listed", "dim")
    screen.line("  docs/boundaries.md says how; replay refuses these", "dim")
