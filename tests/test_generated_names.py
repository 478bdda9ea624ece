"""Names that differ from run to run by their nature are left out of what a statement asks."""

from __future__ import annotations

import pytest

from retrace_core.generated_names import without_generated_names


@pytest.mark.parametrize("before", ["", "/*traceparent='00-1-2-01'*/ ", "SELECT f('a', true); "])
@pytest.mark.parametrize("asks", ["SAVEPOINT {}", "RELEASE SAVEPOINT {}", "CLOSE {}"])
def test_a_savepoint_is_the_same_in_another_thread(before: str, asks: str) -> None:
    """Also where a library puts its comment, or a statement of its own, before it."""
    first, second = (before + asks.format(name) for name in ('"s14_x1"', '"s2032_x17"'))
    assert without_generated_names(first) == without_generated_names(second)


@pytest.mark.parametrize("sql", ["SELECT s1_x1 FROM t", "SELECT 1; SELECT s1_x1 FROM t"])
def test_what_names_nothing_stays(sql: str) -> None:
    """Anything else is asked as it is written."""
    assert without_generated_names(sql) == sql
