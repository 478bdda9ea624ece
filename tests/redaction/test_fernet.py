"""What is encrypted under a masked key is in no recording; a replay decrypts it all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from retrace_core import Recording

SAID = "the treasure lies below the oak"


def make_app(database: Path, key: bytes) -> flask.Flask:
    """Return an application that keeps what it is told encrypted, in a database."""
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.post("/keep")
    def keep() -> str:
        # The same for each replay, and no text of the request: that is in its recording.
        token = Fernet(key).encrypt(SAID.encode())
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("INSERT INTO kept VALUES (?)", (token,))
        return "kept"

    @app.get("/length")
    def length() -> Any:
        with closing(sqlite3.connect(database)) as connection:
            (token,) = connection.execute("SELECT content FROM kept").fetchone()
        try:
            Fernet(Fernet.generate_key()).decrypt(token)
        except InvalidToken:
            found = Fernet(key).decrypt(token.decode(), ttl=60)
        return {"length": len(found), "words": len(found.split())}

    return app


def record(folder: Path, database: Path) -> list[Recording]:
    """Record one request that encrypts, and one that decrypts."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE kept (content)")
    client = make_app(database, Fernet.generate_key()).test_client()
    assert client.post("/keep").text == "kept"
    assert client.get("/length").json == {"length": len(SAID), "words": 6}
    assert writer.flush(10)
    assert SAID.encode() not in raw(folder)
    database.unlink()
    return sorted(map(load, files(folder)), key=lambda one: one.header.started_ns)


def test_another_key_decrypts_what_the_replay_encrypted(recordings: Path, tmp_path: Path) -> None:
    """The token in the database is the recorded one, which the replay has made again before."""
    keeping, asking = record(recordings, tmp_path / "a.db")
    app = make_app(tmp_path / "a.db", Fernet.generate_key())
    result = replay(asking, app, before=[keeping])
    assert result.identical, result.summary()
    assert replay(keeping, app).identical


def test_nothing_is_recorded_where_nothing_is_masked(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is the true one there, and reckons it all again."""
    monkeypatch.setenv("RETRACE_REDACT", "0")
    for recording in record(recordings, tmp_path / "a.db"):
        kinds = {event.kind for lane in recording.lanes for event in lane.events}
        assert not [kind for kind in kinds if kind.startswith("free.cryptography.")]


def keys(*given: bytes) -> MultiFernet:
    """Return what takes tokens of several keys, and makes those of the first."""
    return MultiFernet([Fernet(key) for key in given])


def test_one_of_several_keys(recordings: Path, tmp_path: Path) -> None:
    """As where keys are changed from time to time: an old token, and the new one made of it."""
    old, new = Fernet.generate_key(), Fernet.generate_key()
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection, connection:
        connection.execute("CREATE TABLE kept (content)")

    def make(*taken: bytes) -> flask.Flask:
        app = make_app(tmp_path / "a.db", taken[-1])

        @app.post("/rotate")
        def rotate() -> str:
            with closing(sqlite3.connect(tmp_path / "a.db")) as connection, connection:
                (token,) = connection.execute("SELECT content FROM kept").fetchone()
                rotated = keys(*taken).rotate(token)
                connection.execute("UPDATE kept SET content = ?", (rotated,))
            return f"{len(keys(*taken).decrypt(token, ttl=60))}"

        @app.get("/words")
        def words() -> str:
            with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
                (token,) = connection.execute("SELECT content FROM kept").fetchone()
            return f"{len(keys(taken[0]).decrypt(token).split())}"

        return app

    client = make(new, old).test_client()
    assert client.post("/keep").text == "kept"
    assert client.post("/rotate").text == str(len(SAID))
    assert client.get("/words").text == "6"
    assert writer.flush(10)
    assert SAID.encode() not in raw(recordings)
    (tmp_path / "a.db").unlink()
    keeping, rotating, asking = sorted(
        map(load, files(recordings)), key=lambda one: one.header.started_ns
    )
    others = make(Fernet.generate_key(), Fernet.generate_key())
    result = replay(asking, others, before=[keeping, rotating])
    assert result.identical, result.summary()
    assert replay(rotating, others, before=[keeping]).identical
