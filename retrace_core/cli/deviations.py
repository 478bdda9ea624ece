"""Deviations: what a replay let go on though it was not as recorded, in words and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.cli.document import event_document, plain
from retrace_core.cli.words import call_words, key_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.replay.deviation import Deviation

__all__ = ["deviation_document", "deviation_lines"]

_KEY = 400
_LOUD = ("nearest", "live")


def deviation_lines(one: Deviation) -> Iterator[tuple[str, str]]:
    """Yield lines and their styles: what happened, and both calls by name."""
    yield f"lane {one.lane}: {one.words}", "bold red" if one.how in _LOUD else "bold"
    if one.recorded is not None:
        answered = " (its answer was given)" if one.how in ("nearest", "changed") else ""
        yield f"  recorded  {one.recorded.kind}  {call_words(one.recorded, _KEY)}{answered}", "red"
    if one.asked is not None:
        yield f"  asked     {one.kind}  {key_words(one.kind, one.asked, _KEY)}", "green"
    if one.where is not None:
        yield f"  by        {one.where.file}:{one.where.line} in {one.where.function}", ""


def deviation_document(one: Deviation) -> dict[str, Any]:
    """Return it as plain JSON values."""
    return {
        "how": one.how,
        "words": one.words,
        "lane": one.lane,
        "kind": one.kind,
        "asked": plain(one.asked),
        "recorded": one.recorded and event_document(one.recorded),
        "where": plain(one.where),
    }
