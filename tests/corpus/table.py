"""The table: what came of each application, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.corpus.replaying import Replayed

__all__ = ["Outcome", "table"]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one application."""

    name: str
    framework: str
    uses: tuple[str, ...]
    packages: tuple[str, ...]
    replayed: list[Replayed] = field(default_factory=list["Replayed"])
    failed: str = ""
    """Why it could not be recorded, where that is so."""

    @property
    def identical(self) -> int:
        """How many recordings replayed identically."""
        return sum(one.identical for one in self.replayed)

    @property
    def complete(self) -> bool:
        """True where all did."""
        return not self.failed and 0 < self.identical == len(self.replayed)

    def line(self) -> str:
        """Return it on one line."""
        if self.failed:
            return f"{self.name}: failed"
        return f"{self.name}: {self.identical} of {len(self.replayed)} identical"

    def causes(self) -> list[str]:
        """Return each cause of a miss on a line, with the recordings that it hit."""
        found: dict[str, list[str]] = {}
        for one in self.replayed:
            if not one.identical:
                found.setdefault(one.cause, []).append(one.asked.line())
        return [
            f"{cause[:300]}: {'; '.join(requests[:4])}{_more(requests)}"
            for cause, requests in found.items()
        ]


def _more(requests: list[str]) -> str:
    return f"; and {len(requests) - 4} more" if len(requests) > 4 else ""


def table(outcomes: list[Outcome]) -> str:
    """Return a table of all, and their sum."""
    lines = ["| application | framework | uses | identical | share |", "|---|---|---|---|---|"]
    for one in outcomes:
        share = _share(one.identical, len(one.replayed)) if not one.failed else "failed"
        cells = [
            one.packages[0].replace("==", " "),
            one.framework,
            ", ".join(one.uses),
            f"{one.identical} of {len(one.replayed)}",
            share,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    good = sum(one.identical for one in outcomes)
    total = sum(len(one.replayed) for one in outcomes)
    lines.append(f"| **all** ({len(outcomes)}) | | | {good} of {total} | {_share(good, total)} |")
    return "\n".join(lines)


def _share(good: int, total: int) -> str:
    return f"{100 * good / total:.1f} %" if total else "-"
