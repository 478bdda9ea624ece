"""JSON path: which values of a document a user's rule means; a small part of RFC 9535.

    $.customer.name     a member of a member
    $.items[*].note     of each element of a list, or of each member of an object
    $.items[0].note     of the first element
    $..note             wherever it stands
    $['first name']     a name of other characters; ["..."], too

What a path ends at is masked with all texts and numbers that are in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALLOWED", "JsonPath", "Number", "Step", "parse", "selected"]

ALLOWED = "a JSON path of names, [*], [n] and ..name, like $.items[*].note or $['first name']"
_STEP = re.compile(
    r"(?P<deep>\.\.)?(?:(?<=\.\.)|\.)(?P<plain>[^\W\d]\w*)|\[(?P<every>\*)\]|\[(?P<place>0|[1-9][0-9]{0,8})\]"
    r"|(?P<deeper>\.\.)?\[(?:'(?P<single>[^'\\]+)'|\"(?P<double>[^\"\\]+)\")\]"
)


class Number(str):
    """A number of a document, as it stands there."""

    __slots__ = ()


class Step(NamedTuple):
    """One step from a value to values in it."""

    name: str | None = None
    """Of a member; None for an element."""
    place: int | None = None
    """Of an element; None for each, where there is no name."""
    deep: bool = False
    """From the value and all that is in it."""


class JsonPath(NamedTuple):
    """A rule."""

    text: str
    steps: tuple[Step, ...]

    @property
    def last_name(self) -> str | None:
        """The last name in it: it stands in every document that has what the rule means."""
        names = [step.name for step in self.steps if step.name is not None]
        return names[-1] if names else None


def parse(text: str) -> JsonPath:
    """Return the rule that a text is.

    Raises:
        ValueError: it is none; says why.
    """
    if not text.startswith("$"):
        raise ValueError("it begins with $")
    place, steps = 1, list[Step]()
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None:
            raise ValueError(f"{text[place:]!r} is no step")
        name = match["plain"] or match["single"] or match["double"]
        number = match["place"]
        deep = bool(match["deep"] or match["deeper"])
        steps.append(Step(name, None if number is None else int(number), deep))
        place = match.end()
    if not steps:
        raise ValueError("it means the whole document")
    return JsonPath(text, tuple(steps))


def selected(document: Any, path: JsonPath) -> Iterator[str]:
    """Yield the texts and numbers of a document that a rule means, these as `Number`.

    Args:
        document: objects in it are tuples of (name, value), lists are lists.
        path: the rule.
    """
    found: list[Any] = [document]
    for step in path.steps:
        if step.deep:
            found = list(_inside(found))
        found = [value for one in found for value in _taken(one, step)]
    for value in _inside(found):
        if isinstance(value, str):
            yield value


def _taken(value: Any, step: Step) -> Iterator[Any]:
    if type(value) is tuple:
        for name, member in value:
            if name == step.name or (step.name is None and step.place is None):
                yield member
    elif type(value) is list and step.name is None:
        yield from value if step.place is None else value[step.place : step.place + 1]


def _inside(values: list[Any]) -> Iterator[Any]:
    """Yield values and all that is in them, each container once."""
    seen: set[int] = set()
    waiting = values[::-1]
    while waiting:
        value = waiting.pop()
        if type(value) is tuple or type(value) is list:
            if id(value) in seen or not value:
                continue
            seen.add(id(value))
            inside = [one for _, one in value] if type(value) is tuple else value
            waiting += inside[::-1]
        yield value
