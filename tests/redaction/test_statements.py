"""Placeholders of SQL are no secrets, however they stand; what is given for them may be one."""

from __future__ import annotations

import pytest

from retrace_core.codec import encode
from retrace_core.redaction.names import Names
from retrace_core.redaction.statements import secret_parameters
from tests.redaction.test_finding import masked

COMPARED = [
    "SELECT a FROM users WHERE users.api_key = $1::VARCHAR",
    "SELECT a FROM users WHERE users.api_key = %(api_key_1)s::VARCHAR AND n = 1",
    "SELECT a FROM users WHERE token = CAST($1 AS VARCHAR)",
    "SELECT a FROM users WHERE token = lower(%s)",
    "SELECT a FROM users WHERE password = crypt($1::text, password)",
    "SELECT a FROM users WHERE token=any($1::character varying[])",
    "UPDATE users SET token=%(token)s::VARCHAR(20)",
    "INSERT INTO users (password) VALUES (crypt($1, gen_salt('bf')))",
]


@pytest.mark.parametrize("statement", COMPARED)
def test_the_statement_is_left(statement: str) -> None:
    assert statement.encode() in masked([("sql", statement)])


@pytest.mark.parametrize("statement", COMPARED)
def test_what_is_given_is_masked(statement: str) -> None:
    data = encode(statement) + encode(["s3cret-value"])
    begin = data.index(statement.encode())
    ((first, last),) = secret_parameters(data, begin, begin + len(statement), Names())
    assert data[first:last] == b"s3cret-value"


def test_other_parameters_are_left() -> None:
    statement = "INSERT INTO users (name, password, n) VALUES (lower($1), crypt($2, 'x'), $3)"
    data = encode(statement) + encode(["ada", "s3cret-value", "other"])
    begin = data.index(statement.encode())
    ((first, last),) = secret_parameters(data, begin, begin + len(statement), Names())
    assert data[first:last] == b"s3cret-value"
