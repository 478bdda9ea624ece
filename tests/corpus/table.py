"""The table: what came of each application, as Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.corpus.recording import Secrets
    from tests.corpus.replaying import Replayed

__all__ = ["ENOUGH", "Outcome", "application_of", "rows_of", "table", "written"]

ENOUGH = 0.98
"""Share of identical replays below which an application's run fails."""
_CELL = re.compile(r" \| ")
_HOME = re.compile(r"\(/\S*?/site-packages/")
"""Where an application is installed on this machine: nobody else's."""
_SHOWN = 3
"""How many causes of misses a row names."""
_BEGIN = "<!-- scripts/corpus --write: begin -->"
_END = "<!-- scripts/corpus --write: end -->"
_COLUMNS: tuple[Secrets, ...] = ("masked", "clear")
"""Which ways with secrets have cells in a row."""
_NAMES = ["application", "version", "framework", "uses", "requests"]
_OUTCOMES = ["identical alone", "with the worker's earlier requests", "causes of misses"]
_ALL = [*_NAMES, *(f"{secrets}: {name}" for secrets in _COLUMNS for name in _OUTCOMES)]
_HEAD = (f"| {' | '.join(_ALL)} |", "|" + "---|" * len(_ALL))


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one application, with its secrets treated one way."""

    name: str
    framework: str
    uses: tuple[str, ...]
    packages: tuple[str, ...]
    secrets: Secrets = "clear"
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
        name = f"{self.name}, {self.secrets}"
        if self.failed:
            return f"{name}: failed"
        count = len(self.replayed)
        return f"{name}: {self.identical} of {count} identical, {self.alone} of them alone"

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

    def named(self) -> list[str]:
        """Return the first cells of its row in the table."""
        package, _, version = self.packages[0].partition("==")
        return [
            f"[{package.partition('[')[0]}](apps/{self.name}/drive.py)",
            version,
            self.framework,
            ", ".join(self.uses),
            str(len(self.replayed)),
        ]

    def cells(self) -> list[str]:
        """Return those of this way with secrets."""
        count = len(self.replayed)
        causes = self.causes()
        misses = [_HOME.sub("(", cause)[:120] for cause in causes[:_SHOWN]]
        if more := len(causes) - len(misses):
            misses.append(f"{more} more")
        if warmed := self.identical - self.alone:
            misses.insert(0, f"{warmed} after the worker's earlier requests only")
        return [
            "failed" if self.failed else _share(self.alone, count),
            "failed" if self.failed else _share(self.identical, count),
            "; ".join(misses).replace("|", "\\|").replace("\n", " ") or "none",
        ]


def table(outcomes: list[Outcome]) -> str:
    """Return a table of all, and their sum."""
    return "\n".join([*_HEAD, *_rows({}, outcomes).values(), _sum(outcomes)])


def written(readme: str, outcomes: list[Outcome]) -> str:
    """Return the README with what came out in its table; rows and cells of others stay."""
    before, _, rest = readme.partition(f"{_BEGIN}\n")
    old, _, after = rest.partition(_END)
    rows = {application_of(row): row for row in old.splitlines()[2:]}
    rows = _rows(rows, [one for one in outcomes if not one.failed])
    lines = [*_HEAD, *(rows[name] for name in sorted(rows))]
    return before + "\n".join([_BEGIN, *lines, ""]) + _END + after


def _rows(rows: dict[str, str], outcomes: list[Outcome]) -> dict[str, str]:
    """Return rows by the names of their applications, with these outcomes put in."""
    rows = dict(rows)
    for one in outcomes:
        cells = _CELL.split(rows.get(one.name, "").strip("| "))[len(_NAMES) :]
        cells += ["-"] * (len(_ALL) - len(_NAMES) - len(cells))
        if one.secrets in _COLUMNS:
            place = _COLUMNS.index(one.secrets) * len(_OUTCOMES)
            cells[place : place + len(_OUTCOMES)] = one.cells()
        rows[one.name] = _row([*one.named(), *cells])
    return rows


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def application_of(row: str) -> str:
    """Return the name of the application, that is of its folder, in a row of the table."""
    return row.partition("](apps/")[2].partition("/")[0]


def rows_of(readme: str) -> list[str]:
    """Return the rows of the README's table."""
    return readme.partition(f"{_BEGIN}\n")[2].partition(_END)[0].splitlines()[2:]


def _more(requests: list[str]) -> str:
    return f"; and {len(requests) - 4} more" if len(requests) > 4 else ""


def _sum(outcomes: list[Outcome]) -> str:
    cells = [f"**all** ({len({one.name for one in outcomes})})", *("", "", "")]
    counts = {one.name: len(one.replayed) for one in outcomes}
    cells.append(str(sum(counts.values())))
    for secrets in _COLUMNS:
        some = [one for one in outcomes if one.secrets == secrets]
        count = sum(len(one.replayed) for one in some)
        cells += [
            _share(sum(one.alone for one in some), count),
            _share(sum(one.identical for one in some), count),
            "",
        ]
    return _row(cells)


def _share(good: int, total: int) -> str:
    return f"{100 * good / total:.1f} % ({good})" if total else "-"
