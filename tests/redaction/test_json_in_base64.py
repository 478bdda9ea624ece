"""JSON in base64, as keys and cursors are: what is a secret in it is masked, the rest stays."""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import Any

import pytest

from tests.redaction.test_finding import masked

KEY = secrets.token_hex(32)
ID = "29a4560c-1a4e-4435-b74e-1733470e7c8c"


def _written(said: object) -> str:
    return base64.b64encode(json.dumps(said).encode()).decode()


def _read(data: bytes) -> Any:
    found = re.search(rb"eyJ[A-Za-z0-9+/]+=*", data)
    assert found is not None
    return json.loads(base64.b64decode(found[0]))


@pytest.mark.parametrize("prefix", ["", "KEY_"])
def test_a_secret_is_masked_in_it_too(prefix: str) -> None:
    """The same stands for it there and where it was found to be one."""
    out = masked({"key": prefix + _written({"id": ID, "key": KEY})}, {"password": KEY})
    assert KEY.encode() not in out
    read = _read(out)
    assert read["id"] == ID
    assert read["key"] != KEY
    assert read["key"].encode() in out


def test_what_its_own_names_name_is_masked() -> None:
    """Though it is a secret nowhere else."""
    read = _read(masked({"state": _written({"page": "cart", "password": "open-sesame"})}))
    assert read["page"] == "cart"
    assert read["password"] != "open-sesame"


@pytest.mark.parametrize("said", [["ann", "ann@example.com"], [{"user": "ann@example.com"}]])
def test_so_is_an_address_in_a_list(said: list[Any]) -> None:
    """As links of invitations have it."""
    out = masked({"link": "/register/" + _written(said)}, {"email": "ann@example.com"})
    found = re.search(rb"/register/([A-Za-z0-9+/]+=*)", out)
    assert found is not None
    assert b"ann@example.com" not in base64.b64decode(found[1])
    assert type(json.loads(base64.b64decode(found[1]))) is list


def test_so_it_is_where_json_in_base64_stands_in_such() -> None:
    """What is within is masked before what is around it."""
    inner = _written({"user": "ann", "password": "open-sesame"})
    read = _read(masked({"state": _written({"page": "cart", "more": inner})}))
    assert _read(read["more"].encode())["password"] != "open-sesame"
    assert _read(read["more"].encode())["user"] == "ann"


def test_of_a_key_with_its_owner_before_it_all_that_is_drawn_is_masked() -> None:
    """The code can still take it apart."""
    out = masked({"password": "ACME_" + _written({"id": ID, "key": KEY, "room": "cellar"})})
    read = _read(out)
    assert read["room"] == "cellar"
    assert read["key"] != KEY
    assert read["id"] != ID


def test_a_password_that_is_one_is_masked_in_basic_authorization() -> None:
    """There it stands encoded once more."""
    token = _written({"id": ID, "key": KEY})
    basic = base64.b64encode(f"ann:{token}".encode()).decode()
    out = masked([("authorization", f"Basic {basic}")])
    found = re.search(rb"Basic ([A-Za-z0-9+/]+=*)", out)
    assert found is not None
    user, _, password = base64.b64decode(found[1]).decode().partition(":")
    assert user == "ann"
    assert password != token


def test_what_has_no_secret_in_it_stays() -> None:
    """Whatever it says."""
    token = _written({"page": 17, "sort": ["name", "date"]})
    assert token.encode() in masked({"cursor": token}, {"password": "open-sesame"})
