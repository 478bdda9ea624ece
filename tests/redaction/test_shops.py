"""Shops that are told secrets: none of them is in a recording, and each replays all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from retrace_core import load, replay
from retrace_core.encryption import new_key
from retrace_core.writer import flush
from retrace_mw import RetraceMiddleware
from tests.http_origin import origin
from tests.redaction import shops
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the secrets that the shops get from the environment."""
    monkeypatch.setenv("SHOP_SIGNING_KEY", shops.SIGNING)
    monkeypatch.setenv("SHOP_WEBHOOK_SECRET", shops.WEBHOOK)


def assert_no_secret(folder: Path, *more: str) -> None:
    """Check that none of the secrets is in the files."""
    content = raw(folder)
    found = [one for one in (*shops.SECRETS, *more) if one.encode() in content]
    assert not found, found


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seal recordings to a new key, and return the file of its private part."""
    private, public = new_key()
    file = tmp_path / "key.txt"
    file.write_text(private)
    monkeypatch.setenv("RETRACE_SEAL_TO", public)
    return file


def assert_replays(folder: Path, app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that each recording replays, where nobody knows the true secrets."""
    monkeypatch.setenv("SHOP_SIGNING_KEY", "masked")
    monkeypatch.setenv("SHOP_WEBHOOK_SECRET", "masked")
    for path in files(folder):
        result = replay(path, app)
        assert result.identical, result.summary()


def test_flask_shop(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form, a session, a card, a bearer token, a webhook, a failure: masked, and identical."""
    database = tmp_path / "shop.db"
    shops.make_database(database)
    with origin() as (base, _):
        app = shops.flask_shop(database, base)
        shops.use_flask(app)
    assert len(files(recordings)) == 4
    assert_no_secret(recordings)
    database.unlink()
    assert_replays(recordings, app, monkeypatch)


def test_fastapi_shop(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON, bcrypt, a JWT given and taken, a card as a number: masked, and identical."""
    database = tmp_path / "shop.db"
    shops.make_database(database)
    with origin() as (base, _):
        app = shops.fastapi_shop(database, base)
        token = shops.use_fastapi(app)
    assert len(files(recordings)) == 2
    assert_no_secret(recordings, token, token.rpartition(".")[2])
    database.unlink()
    assert_replays(recordings, app, monkeypatch)


@pytest.mark.parametrize("shop", ["flask", "fastapi"])
def test_sealed_shops(
    recordings: Path, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, shop: str
) -> None:
    """Sealed: none is readable; with the key the true values replay, without it the masked ones."""
    database = tmp_path / "shop.db"
    shops.make_database(database)
    app: object
    with origin() as (base, _):
        if shop == "flask":
            app = shops.flask_shop(database, base)
            shops.use_flask(app)
        else:
            app = shops.fastapi_shop(database, base)
            shops.use_fastapi(app)
    assert_no_secret(recordings)
    database.unlink()
    assert_replays(recordings, app, monkeypatch)
    monkeypatch.setenv("RETRACE_IDENTITY", str(key))
    for path in files(recordings):
        opened = load(path)
        assert opened.redaction is None
        result = replay(path, app)
        assert result.identical, result.summary()
        if opened.header.path == "/login":
            given = b"".join(opened.request.body).replace(b"+", b" ")
            assert shops.PASSWORD.encode() in given


def test_the_working_folder_is_no_password(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PWD, which wsgiref hands to the application with its other variables, names a folder."""
    monkeypatch.setenv("PWD", "/srv/storefront")
    app = Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app, sample_rate=1.0)  # type: ignore[method-assign]
    app.add_url_rule("/", view_func=lambda: "in /srv/storefront")
    app.test_client().get("/", environ_overrides={"PWD": "/srv/storefront", "DB_PWD": "tr0ub4dor"})
    flush()
    content = raw(recordings)
    assert b"in /srv/storefront" in content
    assert b"tr0ub4dor" not in content
