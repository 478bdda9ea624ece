"""A tracer names its span in a comment of each statement, and another one on replay."""

from __future__ import annotations

import pytest

from retrace_core.replay.divergence import same_key
from retrace_core.replay.masks import Masks

_STATEMENT = "SELECT 1 {} /*db_driver='psycopg',traceparent='00-{:032x}-{:016x}-01'*/"


@pytest.mark.parametrize("encoding", ["", "utf-8"])
@pytest.mark.parametrize("masked", [False, True])
def test_a_statement_is_the_same_under_another_span(masked: bool, encoding: str) -> None:
    """The span is the tracer's own; what is asked is compared as ever."""

    def key(asked: str, number: int) -> list[str | bytes]:
        statement = _STATEMENT.format(asked, number, number)
        return ["shop", statement.encode(encoding) if encoding else statement]

    masks = Masks([b"hunter-pseudonym"]) if masked else None
    assert same_key(key("x", 1), key("x", 2), masks=masks)
    assert not same_key(key("x", 1), key("y", 2), masks=masks)
