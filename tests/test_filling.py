"""Filling: a fill of a cache is named by its arguments, and runs none of their code for it."""

from __future__ import annotations

import pytest

from retrace_core.boot import tape as boot_tape
from retrace_core.boot.filling import filling


class Record(tuple[int, ...]):
    """A tuple that may not be gone through, as some libraries' records are."""

    __slots__ = ()

    def __iter__(self) -> object:  # type: ignore[override]
        """Refuse."""
        raise TypeError("no iteration")


class Listing(list[int]):
    """A list of that sort."""

    def __iter__(self) -> object:  # type: ignore[override]
        """Refuse."""
        raise TypeError("no iteration")


def endless() -> list[object]:
    """Return a list that has itself in it."""
    made: list[object] = []
    made.append(made)
    return made


@pytest.fixture(autouse=True)
def tape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a boot tape, whose boot is over."""
    monkeypatch.setattr(boot_tape, "_tape", boot_tape.BootTape(1 << 20))


@pytest.mark.parametrize("kind", [Record, Listing])
def test_arguments_that_refuse_to_be_gone_through(kind: type[Record | Listing]) -> None:
    """The function is called with them, and what it returns is what the cache gets."""
    fill = filling(lambda given: [given])
    argument = kind([1, 2])
    assert fill(argument)[0] is argument


@pytest.mark.faults_expected
def test_an_argument_that_cannot_be_named() -> None:
    """The function is called all the same; only its fill is on no tape."""
    argument = endless()
    assert filling(lambda given: [given])(argument)[0] is argument
