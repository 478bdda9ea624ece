"""Screen: what the commands print; plain where it is piped, in colour on a terminal.

What is printed comes from recordings, and so from strangers: control characters are shown
as escapes, so that none of them reaches the terminal.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import Console

__all__ = ["Cell", "Screen", "note", "print_json", "progress", "visible"]

Cell = str | tuple[str, str]
"""Text, or (text, style) as rich names styles: "bold", "red", "dim"."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)

_GAP, _FOLDED = 2, 24
"""Between the columns of a table; and the least width of a column that folds."""


def visible(text: str) -> str:
    """Return `text` on one line, with control and direction characters shown as escapes."""
    return _HIDDEN.sub(lambda match: ascii(match[0])[1:-1], text)


class Screen:
    """Lines and tables on standard output (or standard error)."""

    def __init__(self, *, err: bool = False) -> None:
        self._err = err
        self._rich = _console(err)

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line; it is never cut."""
        self.spans((text, style))

    def spans(self, *cells: Cell) -> None:
        """Print one line made of parts that have styles of their own."""
        if self._rich is None:
            click.echo("".join(visible(_text(cell)) for cell in cells), err=self._err)
            return
        from rich.text import Text

        parts = [(visible(_text(cell)), _style(cell)) for cell in cells]
        self._rich.print(Text.assemble(*parts), soft_wrap=True)

    def block(self, text: str, *, indent: str = "", style: str = "") -> None:
        """Print text of several lines, each of them indented."""
        for line in text.split("\n"):
            self.line((indent + line.removesuffix("\r")).rstrip(), style)

    def heading(self, text: str) -> None:
        """Print an empty line and a heading."""
        self.line()
        self.line(text, "bold")

    def pairs(self, pairs: Iterable[tuple[str, str]], *, indent: str = "  ") -> None:
        """Print names and values, the values below each other."""
        listed = list(pairs)
        width = max((len(visible(name)) for name, _ in listed), default=0)
        for name, value in listed:
            self.spans((f"{indent}{visible(name):<{width}}  ", "dim"), value)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        folding: Sequence[str] = (),
        droppable: Sequence[str] = (),
    ) -> None:
        """Print a table; piped, its columns are aligned and nothing is cut.

        Args:
            columns: their headings.
            rows: a cell for each column.
            folding: columns that may run over several lines where the terminal is narrow.
            droppable: columns that are left out where it is narrower still, first one first.
        """
        listed = list(rows)
        if self._rich is None:
            self._plain_table(columns, listed)
            return
        from rich.table import Table
        from rich.text import Text

        shown = _fitting(columns, listed, folding, droppable, self._rich.width)
        table = Table(box=None, header_style="bold", pad_edge=False)
        for place in shown:
            folds = columns[place] in folding
            table.add_column(columns[place], overflow="fold", no_wrap=not folds)
        for row in listed:
            cells = [row[place] for place in shown]
            table.add_row(*(Text(visible(_text(cell)), style=_style(cell)) for cell in cells))
        self._rich.print(table)

    @property
    def width(self) -> int:
        """How many columns the terminal has; 0 where there is none."""
        return self._rich.width if self._rich is not None else 0

    def beside(self, pairs: Iterable[tuple[str | None, str | None, str]]) -> None:
        """Print recorded and replayed beside each other, on a terminal.

        Args:
            pairs: the two sides of a line (None: it has none), and a remark above them.
        """
        if self._rich is None:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
        for title in ("  recorded", "replayed"):
            table.add_column(title, overflow="fold", ratio=1)
        for was, now, note in pairs:
            if note:
                table.add_row(Text(f"  {visible(note)}", style="bold yellow"), Text(""))
            styles = ("dim", "dim") if was == now else ("red", "green")
            left, right = (visible(side or "") for side in (was, now))
            table.add_row(Text(f"  {left}", style=styles[0]), Text(right, style=styles[1]))
        self._rich.print(table)

    def _plain_table(self, columns: Sequence[str], rows: list[Sequence[Cell]]) -> None:
        texts = [list(columns), *([visible(_text(cell)) for cell in row] for row in rows)]
        widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
        for row in texts:
            cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            click.echo("  ".join(cells).rstrip(), err=self._err)


def _fitting(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    folding: Sequence[str],
    droppable: Sequence[str],
    width: int,
) -> list[int]:
    """Return the places of the columns that a terminal has room for."""
    widths = [
        max([len(name), *(len(visible(_text(row[place]))) for row in rows)])
        for place, name in enumerate(columns)
    ]
    # A column that folds is readable with so much of its width.
    needed = {
        name: min(wide, _FOLDED) if name in folding else wide
        for name, wide in zip(columns, widths, strict=True)
    }
    kept = list(columns)
    for name in droppable:
        if sum(needed[one] for one in kept) + _GAP * (len(kept) - 1) <= width:
            break
        kept.remove(name)
    return [place for place, name in enumerate(columns) if name in kept]


def note(text: str) -> None:
    """Print a remark that is no part of the answer, on standard error."""
    Screen(err=True).line(f"note: {text}", "yellow")


def print_json(value: Any) -> None:
    """Print a value as JSON, in a form that any terminal and any reader takes."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show a progress bar on a terminal; yields what to call after each step.

    Args:
        title: what is being done.
        total: how many steps there are; None: nobody knows, and it shows how many were done.
    """
    console = _console(err=True)
    if console is None or (total is not None and total < 2):
        yield lambda: None
        return
    from rich.progress import MofNCompleteColumn, Progress

    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


def _console(err: bool) -> Console | None:
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return None
    from rich.console import Console

    return Console(stderr=err, highlight=False, markup=False, emoji=False)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _style(cell: Cell) -> str:
    return "" if isinstance(cell, str) else cell[1]
