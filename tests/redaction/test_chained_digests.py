"""Hashes of digests of a secret, thousands of them: masked, found again, and soon written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_core.redaction.redactor import Redactor
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 500
PASSWORD = "correct-horse-battery-7"
WAYS: dict[str, Callable[[Any], bytes]] = {
    "bytes": lambda made: made.digest(),  # type: ignore[no-any-return]
    "hex": lambda made: made.hexdigest().encode(),  # type: ignore[no-any-return]
}


@pytest.mark.parametrize("way", WAYS)
def test_a_stretched_key_takes_few_rounds(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Each digest goes into the next hash: the recording is not gone through for each of them."""
    rounds: list[int] = []
    choose: Any = Redactor._choose

    def counted(self: Any, *args: Any) -> Any:
        rounds.append(1)
        return choose(self, *args)

    monkeypatch.setattr(Redactor, "_choose", counted)
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> str:
        key = flask.request.form["password"].encode()
        for _ in range(ROUNDS):
            key = WAYS[way](hashlib.sha1(key, usedforsecurity=False))
        return key.hex() if way == "bytes" else key.decode()

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    said = app.test_client().post("/", data={"password": PASSWORD}, buffered=True).text
    recording = only_recording(recordings)

    assert len(rounds) < 10
    assert said.encode() not in raw(recordings)
    result = replay(recording, app)
    assert result.identical, result.summary()
