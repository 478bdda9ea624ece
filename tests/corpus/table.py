"""The table: what came of each application, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.corpus.replaying import Replayed

__all__ = ["ENOUGH", "Outcome", "application_of", "rows_of", "table", "written"]

ENOUGH = 0.98
"""Share of identical replays below which an application's run fails."""
_SHOWN = 3
"""How many causes of misses a row names."""
_BEGIN = "<!-- scripts/corpus --write: begin -->"
_END = "<!-- scripts/corpus --write: end -->"
_HEAD = (
    "| application | version | framework | uses | requests | identical alone"
    " | with the worker's earlier requests | causes of misses |",
    "|---|---|---|---|---|---|---|---|",
)


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
    def alone(self) -> int:
        """How many recordings replayed identically with nothing run before them."""
        return sum(one.alone for one in self.replayed)

    @property
    def identical(self) -> int:
        """How many did so, where need be after the earlier recordings of their worker."""
        return sum(one.identical for one in self.replayed)

    @property
    def is_enough(self) -> bool:
        """True where at least 98 % did."""
        return not self.failed and self.identical >= ENOUGH * max(len(self.replayed), 1)

    def line(self) -> str:
        """Return it on one line."""
        if self.failed:
            return f"{self.name}: failed"
        count = len(self.replayed)
        return f"{self.name}: {self.identical} of {count} identical, {self.alone} of them alone"

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

    def row(self) -> str:
        """Return it as a row of the table."""
        package, _, version = self.packages[0].partition("==")
        count = len(self.replayed)
        causes = self.causes()
        misses = [f"{cause[:120]}" for cause in causes[:_SHOWN]]
        if more := len(causes) - len(misses):
            misses.append(f"{more} more")
        if warmed := self.identical - self.alone:
            misses.insert(0, f"{warmed} after the worker's earlier requests only")
        cells = [
            f"[{package.partition('[')[0]}](apps/{self.name}/drive.py)",
            version,
            self.framework,
            ", ".join(self.uses),
            str(count),
            "failed" if self.failed else _share(self.alone, count),
            "failed" if self.failed else _share(self.identical, count),
            "; ".join(misses).replace("|", "\\|").replace("\n", " ") or "none",
        ]
        return f"| {' | '.join(cells)} |"


def table(outcomes: list[Outcome]) -> str:
    """Return a table of all, and their sum."""
    return "\n".join([*_HEAD, *(one.row() for one in outcomes), _sum(outcomes)])


def written(readme: str, outcomes: list[Outcome]) -> str:
    """Return the README with the rows of these applications in its table; others stay."""
    before, _, rest = readme.partition(f"{_BEGIN}\n")
    old, _, after = rest.partition(_END)
    rows = {application_of(row): row for row in old.splitlines()[2:]}
    rows |= {one.name: one.row() for one in outcomes if not one.failed}
    lines = [*_HEAD, *(rows[name] for name in sorted(rows))]
    return before + "\n".join([_BEGIN, *lines, ""]) + _END + after


def application_of(row: str) -> str:
    """Return the name of the application, that is of its folder, in a row of the table."""
    return row.partition("](apps/")[2].partition("/")[0]


def rows_of(readme: str) -> list[str]:
    """Return the rows of the README's table."""
    return readme.partition(f"{_BEGIN}\n")[2].partition(_END)[0].splitlines()[2:]


def _more(requests: list[str]) -> str:
    return f"; and {len(requests) - 4} more" if len(requests) > 4 else ""


def _sum(outcomes: list[Outcome]) -> str:
    count = sum(len(one.replayed) for one in outcomes)
    alone = sum(one.alone for one in outcomes)
    identical = sum(one.identical for one in outcomes)
    cells = [
        f"**all** ({len(outcomes)})",
        *("", "", ""),
        str(count),
        _share(alone, count),
        _share(identical, count),
        "",
    ]
    return f"| {' | '.join(cells)} |"


def _share(good: int, total: int) -> str:
    return f"{100 * good / total:.1f} % ({good})" if total else "-"
