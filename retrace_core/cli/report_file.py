"""Report file: a replay's report as JSON, or as one HTML page that needs nothing else."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.cli.screen import visible
from retrace_core.cli.side_by_side import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.cli.report import Report
    from retrace_core.cli.side_by_side import Section

__all__ = ["write_report"]

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
td, th { font-family: ui-monospace, monospace; font-size: 12px; padding: 1px 8px; text-align: left;
  vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere; width: 50% }
.was { background: #ffe9e9 } .now { background: #e6f7e6 } .none { background: #f3f3f3 }
.note { color: #8a5a00; font-family: inherit; padding-top: 8px }
.loud { color: #b00; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd }
.was { background: #4a2020 } .now { background: #1d3d1d } .none { background: #222 } }
"""


def write_report(report: Report, file: str) -> None:
    """Write a report whole.

    Args:
        report: of one replay.
        file: its name says the form: .html, or .json.

    Raises:
        OSError: the file can't be written.
    """
    found = sections(report.result, reveal=report.reveal, full=True)
    if file.endswith(".html"):
        text = "".join(_page(report, found))
    else:
        beside = {
            one.title: [
                {"recorded": pair.recorded, "replayed": pair.replayed, "note": pair.note}
                for pair in one.pairs
            ]
            for one in found
        }
        text = json.dumps({**report.document(), "side_by_side": beside}, indent=2) + "\n"
    Path(file).write_text(text, encoding="utf-8", errors="backslashreplace")


def _page(report: Report, found: list[Section]) -> Iterator[str]:
    result, header = report.result, report.result.recording.header
    title = f"{header.service} {header.method} {header.path}"
    verdict = "identical" if result.identical else result.summary().partition(":")[0]
    loud = " class=loud" if result.live or result.mode != "strict" else ""
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{_safe(title)}</title>"
    yield f"<style>{_STYLE}</style><h1>{_safe(title)}</h1>"
    yield f"<p><b>{_safe(verdict)}</b> · <span{loud}>{_safe(result.terms())}</span>"
    yield f" · {result.events_served} answers from the recording</p>"
    for text in (*report.warnings, *result.notes):
        yield f"<p class=note>{_safe(text)}</p>"
    for section in found:
        yield f"<h2>{_safe(section.title)}</h2><table><tr><th>recorded<th>replayed"
        for pair in section.pairs:
            if pair.note:
                yield f"<tr><td colspan=2 class=note>{_safe(pair.note)}"
            yield f"<tr>{_cell(pair.recorded, 'was', pair.same)}"
            yield _cell(pair.replayed, "now", pair.same)
        yield "</table>"
    yield "</html>\n"


def _cell(text: str | None, side: str, same: bool) -> str:
    if text is None:
        return "<td class=none>"
    return f"<td>{_safe(text)}" if same else f"<td class={side}>{_safe(text)}"


def _safe(text: str) -> str:
    return html.escape(visible(text))
