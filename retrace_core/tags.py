"""Tags: names and values that an application gives a recording, to find it by.

They are few and short, for they stand in the header of each recording, and in the catalog.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from retrace_core.stats import count

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_TAGS", "Tag", "add_tags", "refusal", "tag_text", "tag_words"]

Tag = str | int | bool

MOST_TAGS = 16
"""Of one recording."""
_MOST_CHARACTERS = 200
"""Of a text."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_INT64 = 1 << 63
_MOST_TOLD = 100

_logger = logging.getLogger("retrace")
_told: set[str] = set()


def refusal(name: str, value: object) -> str:
    """Return why a tag can't be taken, in words; "" for one that can."""
    if not _NAME.fullmatch(name):
        return (
            "a name has up to 64 letters, digits, '_', '.' or '-', and begins with a letter or '_'"
        )
    if isinstance(value, int):  # bool is one
        return "" if -_INT64 <= value < _INT64 else "a number has at most 64 bits"
    if not isinstance(value, str):
        return f"a value is text, a whole number, True or False, and not {type(value).__name__}"
    if len(value) > _MOST_CHARACTERS:
        return f"a text has at most {_MOST_CHARACTERS} characters, not {len(value)}"
    if not value.isprintable():
        return "a text has no control characters"
    return ""


def add_tags(tags: dict[str, Tag], new: Mapping[str, object]) -> None:
    """Put new tags among those of a recording; the value of a name given again is the last one.

    One that can't be taken is left out, counted as "tags.refused", and told in the log, once for
    each name: what a request brings along must not make the application fail.

    Args:
        tags: those that are there; changed.
        new: those that are to be added.
    """
    for name, value in new.items():
        why = refusal(name, value)
        if not why and name not in tags and len(tags) >= MOST_TAGS:
            why = f"a recording has at most {MOST_TAGS} tags"
        if why:
            _tell(name, why)
        elif isinstance(value, bool):
            tags[name] = value
        elif isinstance(value, int):
            tags[name] = int(value)  # of an IntEnum too
        else:
            tags[name] = str(value)


def _tell(name: str, why: str) -> None:
    count("tags.refused")
    shown = name[:64]
    if shown in _told or len(_told) >= _MOST_TOLD:
        return
    _told.add(shown)
    _logger.warning("retrace: the tag %r is left out: %s", shown, why)


def tag_text(value: Tag) -> str:
    """Return the value of a tag as text: what `retrace show` prints and `--tag` compares."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def tag_words(tags: Mapping[str, Tag]) -> str:
    """Return tags on one line, "user=7 order=42", in order of their names."""
    return " ".join(f"{name}={tag_text(value)}" for name, value in sorted(tags.items()))
