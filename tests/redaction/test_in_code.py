"""Secrets that stand in the application's code: gone from the recording, known to the replay."""

from __future__ import annotations

import importlib.util
import secrets
import sys
from base64 import b64encode
from hashlib import sha1
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from retrace_core import load, replay, writer
from retrace_core.code_literals import literals
from retrace_core.recording import OfCode, Redaction
from retrace_core.redaction.in_code import InCode
from retrace_core.replay.true_texts import true_texts
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw


@pytest.fixture(autouse=True)
def pointing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by default."""
    monkeypatch.delenv("RETRACE_REDACT_POINT_TO_CODE")


TOKEN = "a-token-of-an-example"
USERS = {"ann": "wonderland", "bob": "Zk4!9x Q/7"}


async def _by_header(request: Any) -> bool:
    return bool(request.headers["x-token"] == TOKEN)


async def _by_word(request: Any) -> bool:
    return bool(USERS.get(request.query_params["user"]) == request.query_params["password"])


async def _by_form(request: Any) -> bool:
    said = await request.json()
    return bool(USERS.get(said["user"]) == said["password"])


async def _by_digest(request: Any) -> bool:
    given = (await request.body()).partition(b"password=")[2]
    return secrets.compare_digest(given, b"sword/fish")


async def _basic(request: Any) -> bool:
    coded = request.headers["authorization"].partition(" ")[2]
    return bool(coded == b64encode(b"stanley:sword-in-the-stone").decode())


async def _by_sender(request: Any) -> bool:
    return sha1(await request.body()).digest() == sha1(b"Shop <orders@shop.example>").digest()


WAYS: dict[str, tuple[Any, dict[str, Any]]] = {
    "a header": (_by_header, {"headers": {"x-token": TOKEN}}),
    "a bearer": (_by_header, {"headers": {"x-token": TOKEN, "authorization": f"Bearer {TOKEN}"}}),
    "a query": (_by_word, {"params": {"user": "ann", "password": "wonderland"}}),
    "an escaped query": (_by_word, {"params": {"user": "bob", "password": USERS["bob"]}}),
    "JSON": (_by_form, {"json": {"user": "bob", "password": USERS["bob"]}}),
    "bytes": (_by_digest, {"content": b"password=sword/fish"}),
    "a sender": (_by_sender, {"content": b"Shop <orders@shop.example>"}),
    "basic": (_basic, {"auth": ("stanley", "sword-in-the-stone")}),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_code_compares_with_comes_out_the_same(recordings: Path, way: str) -> None:
    """The true text is in the code, which is there on replay; in the recording it is not."""
    is_right, asked = WAYS[way]

    async def view(request: Any) -> Any:
        ok = await is_right(request)
        return JSONResponse({"ok": ok}, 200 if ok else 401)

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", view, methods=["POST"])]))
    with TestClient(app) as client:
        assert client.post("/", **asked).status_code == 200
    assert writer.flush(10)
    text = raw(recordings)
    assert b"POST" in text
    for secret in (TOKEN, "wonderland", USERS["bob"], quote(USERS["bob"]), "sword/fish", "sword-"):
        assert secret.encode() not in text
    result = replay(load(files(recordings)[0]), app)
    assert result.identical, result.summary()


def test_a_wrong_one_is_wrong_again(recordings: Path) -> None:
    """A password that stands nowhere in the code is its pseudonym."""

    async def view(request: Any) -> Any:
        return JSONResponse(await _by_form(request))

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", view, methods=["POST"])]))
    wrong = "".join(reversed(USERS["bob"]))
    with TestClient(app) as client:
        assert client.post("/", json={"user": "bob", "password": wrong}).json() is False
    assert writer.flush(10)
    recording = load(files(recordings)[0])
    assert recording.redaction is not None and recording.redaction.of_code == []
    assert replay(recording, app).identical


SOURCE = b'''
"""A docstring that isn't a secret."""
TOKEN = "tok-1234"
TITLE = "wonderful"
form["password"], password != "password"
ACCOUNTS = {"ann": "wonderland", 'b': 'Zk4-9xQ_'}
again = "tok-1234"
'''


def test_which_texts_count() -> None:
    """No plain word far from talk of users, no name; each once, numbered by its length."""
    found = dict(literals(SOURCE))
    assert found[b"tok-1234"] == 0
    assert found[b"Zk4-9xQ_"] == found[b"password"] + 1 == 2  # compared with, that is
    assert found[b"wonderland"] == 0
    assert b"username" not in dict(literals(b'form["username"], session.get("password")'))
    assert b"password" not in dict(literals(b'if field.name == "password": ...'))
    assert list(literals(b'{"ann": {"password": "secret"}}')) == [(b"secret", 0)]
    assert b"1234" not in dict(literals(b'pin == "1234", pin == "123456", token == "abcd"'))
    assert len(list(literals(b'pin == "1234", pin == "123456", token == "abcd"'))) == 2
    assert b"wonderful" not in dict(literals(b'TITLE = "wonderful"'))


@given(st.lists(st.from_regex(r"[A-Za-z0-9_\-']{6,20}", fullmatch=True), max_size=8))
def test_numbers_are_of_one_length(texts: list[str]) -> None:
    """No two texts of one length have the same."""
    source = "\n".join(f'password == "{text}"' for text in texts).encode()
    found = dict(literals(source))
    assert set(found) == {text.encode() for text in texts}
    assert len({(len(text), number) for text, number in found.items()}) == len(found)


def test_code_that_is_no_longer_there() -> None:
    """Another number, another module: nothing is told."""
    name = __name__
    found = dict(literals(Path(sys.modules[name].__file__ or "").read_bytes()))
    number = found[TOKEN.encode()]
    mask = b"x" * len(TOKEN)
    assert (
        true_texts(Redaction(of_code=[OfCode(mask, name, len(mask), number)]))[mask]
        == TOKEN.encode()
    )
    assert true_texts(Redaction(of_code=[OfCode(mask, name, len(mask), 10_000)])) == {}
    assert true_texts(Redaction(of_code=[OfCode(mask, "no.such.module", len(mask), number)])) == {}


def test_it_can_be_left_out(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of the code then, and the replay has nothing but the pseudonym."""
    monkeypatch.setenv("RETRACE_REDACT_POINT_TO_CODE", "0")

    async def view(request: Any) -> Any:
        return JSONResponse(await _by_header(request))

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", view)]))
    with TestClient(app) as client:
        assert client.get("/", headers={"x-token": TOKEN}).json() is True
    assert writer.flush(10)
    recording = load(files(recordings)[0])
    assert recording.redaction is not None and recording.redaction.of_code == []
    assert not replay(recording, app).identical


def test_a_lazy_module_stays_unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported because a recording is written; what is no module is passed over."""
    spec = importlib.util.find_spec("tests.redaction.shops")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    monkeypatch.setitem(sys.modules, "tests.redaction.shops", lazy)
    monkeypatch.setitem(sys.modules, "no.module", object())  # type: ignore[arg-type]
    found = InCode().of([(TOKEN.encode(), b"x" * len(TOKEN))], "tests:app")
    assert [one.module for one in found] == [__name__]
    assert type(lazy).__name__ == "_LazyModule"
