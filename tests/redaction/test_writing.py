"""What the writer does: by the settings, whole or not at all, never the application's affair."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import flask
import pytest
from werkzeug.test import Client

import retrace_mw
from retrace_core import ConfigurationError, load, replay, stats, writer
from retrace_core.codec import encode
from retrace_core.encryption import is_encrypted, new_key
from retrace_core.redaction.concealing import Concealing
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region
from retrace_core.store import open_store
from retrace_core.trace_file import dump_all
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path

CARD = "4242 4242 4242 4242"


def application(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with what was sent, and tag the recording by a user."""
    retrace_mw.tag(user="ada@example.com")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]


def send(body: str, **options: Any) -> None:
    """Send one request, recorded."""
    Client(RetraceMiddleware(application, **options)).post("/", data=body, buffered=True)
    assert writer.flush(10)


WRONG: dict[str, dict[str, Any]] = {
    "a pattern": {"redact_patterns": ["("]},
    "a pattern that matches nothing": {"redact_patterns": ["x*"]},
    "a path": {"redact_paths": ["customer.name"]},
    "a detector": {"redact_detectors": ["crad"]},
    "a key to seal to": {"seal_to": "age1nonsense"},
    "a file of keys": {"encrypt_to": "/nowhere/keys.txt"},
    "a short key": {"redact_key": "short"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_refused_at_start(recordings: Path, name: str) -> None:
    """The setting is named, and what would be right."""
    (setting,) = WRONG[name]
    with pytest.raises(ConfigurationError, match=setting):
        RetraceMiddleware(application, **WRONG[name])


def test_the_table_of_the_file(recordings: Path, tmp_path: Path) -> None:
    """Rules stand in [retrace.redact], and the switch is of the same name."""
    file = tmp_path / "retrace.toml"
    file.write_text("[retrace.redact]\nnames = ['iban']\ndetectors = []\n")
    send(f"iban=DE00123456&card={CARD}", config=str(file))
    content = raw(recordings)
    assert b"DE00123456" not in content
    assert CARD.encode() in content


def test_switched_off(recordings: Path) -> None:
    """Then a recording has what was sent."""
    send(f"password={CARD}", redact=False)
    assert CARD.encode() in raw(recordings)


@pytest.mark.parametrize("redact", [True, False])
def test_encrypted(recordings: Path, monkeypatch: pytest.MonkeyPatch, redact: bool) -> None:
    """Nothing of a file is readable without the key, masked or not."""
    private, public = new_key()
    send("hello", encrypt_to=public, redact=redact)
    key = recordings.parent / "key.txt"
    key.write_text(private)
    (path,) = files(recordings)
    assert is_encrypted(path.read_bytes())
    monkeypatch.setenv("RETRACE_IDENTITY", str(key))
    assert load(path).request.body == [b"hello"]


def test_tags_are_as_the_application_gave_them(recordings: Path) -> None:
    """Recordings are found by them."""
    send("from ada@example.com")
    recording = load(files(recordings)[0])
    assert recording.header.tags == {"user": "ada@example.com"}
    assert b"ada@" not in recording.request.body[0]


def test_a_path_of_nothing_but_a_parameter(recordings: Path) -> None:
    """It is written, as any other."""
    app = flask.Flask("shop")
    app.add_url_rule("/", "all", defaults={"rest": ""}, view_func=lambda rest: rest)
    app.add_url_rule("/<path:rest>", "rest", view_func=lambda rest: rest)
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    for path in "/", "/a", "/%C3%A9/b":
        app.test_client().get(path, buffered=True)
    assert writer.flush(10)
    assert len(files(recordings)) == 3


def test_of_a_path_what_is_no_part_of_the_route(recordings: Path) -> None:
    """A word that is a password is masked where the route has a parameter, and else left."""
    app = flask.Flask("shop")

    @app.get("/secret/<name>/<word>")
    def secret(name: str, word: str) -> Any:
        given = flask.request.authorization
        return {"right": given is not None and (name, word) == (given.username, given.password)}

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    assert client.get("/secret/ann/secret", auth=("ann", "secret"), buffered=True).json == {
        "right": True
    }
    assert writer.flush(10)
    (path,) = files(recordings)
    assert load(path).header.path.startswith("/secret/ann/")
    assert not load(path).header.path.endswith("/secret")
    result = replay(path, app)
    assert result.identical, result.summary()


def test_a_path_is_its_route_though_a_password_is_alike(recordings: Path) -> None:
    """Of a demo's project the password is "demo": its page is still found on replay."""
    app = flask.Flask("shop")

    @app.get("/demo/")
    def demo() -> Any:
        return flask.redirect(flask.url_for("demo", password="demo"))

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    assert client.get("/demo/?password=demo", buffered=True).status_code == 302
    assert writer.flush(10)
    (path,) = files(recordings)
    recording = load(path)
    assert (recording.header.path, recording.request.path) == ("/demo/", "/demo/")
    assert b"demo" not in recording.request.query
    result = replay(path, app)
    assert result.identical, result.summary()


def test_what_is_masked_for_good_is_not_sealed(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key gives back the rest."""
    private, public = new_key()
    send(f"card={CARD}&password=hunter22", seal_to=public, redact_for_good=["card"])
    key = recordings.parent / "key.txt"
    key.write_text(private)
    monkeypatch.setenv("RETRACE_IDENTITY", str(key))
    body = b"".join(load(files(recordings)[0]).request.body)
    assert b"hunter22" in body
    assert CARD.encode() not in body


def test_for_good_by_its_name_though_it_looks_like_something(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that is a password: the name tells more than the look, wherever it was found."""
    private, public = new_key()
    send(
        "to ada@example.com, password=ada@example.com", seal_to=public, redact_for_good=["password"]
    )
    key = recordings.parent / "key.txt"
    key.write_text(private)
    monkeypatch.setenv("RETRACE_IDENTITY", str(key))
    assert b"ada@example.com" not in b"".join(load(files(recordings)[0]).request.body)


@pytest.mark.faults_expected
def test_a_fault_writes_nothing(recordings: Path) -> None:
    """A recording that can't be masked is dropped, and counted; the response is as ever."""

    def fails() -> dict[bytes, str]:
        raise OSError("no variables")

    app = RetraceMiddleware(application, boot_tape=False)
    conceal = Concealing(redactor(known=fails))
    store = open_store(str(recordings))
    encode_all = functools.partial(dump_all, conceal=conceal)
    writer.configure(store, queue_bytes=1 << 20, encode=encode_all)
    before = stats()
    answer = Client(app).post("/", data="password=hunter22", buffered=True)
    assert answer.text == "password=hunter22"
    assert writer.flush(10)
    assert files(recordings) == []
    grown = {name: count - before.get(name, 0) for name, count in stats().items()}
    assert grown["dropped.encode_error"] == 1
    assert grown["dropped.redaction_error"] >= 1


def redactor(**options: Any) -> Redactor:
    """Return a redactor with a key of its own."""
    names = Names()
    return Redactor(names, Forms(Pseudonyms(b"k" * 32), names), **options)


def test_a_secret_in_two_chunks() -> None:
    """A body that came in several chunks is looked at as one."""
    chunks = [b'{"card": "4242 4242', b" 4242 4242", b'"}']
    data = encode(chunks)
    spans = [(data.index(one), data.index(one) + len(one)) for one in chunks]
    out = redactor().redact(data, [Region(0, len(data))], [spans]).data
    joined = b"".join(out[begin:end] for begin, end in spans)
    assert CARD.encode() not in joined
    assert joined.endswith(b'4242"}')


def test_the_same_key_makes_the_same_pseudonyms() -> None:
    """So processes can be compared that were given one."""
    data = encode({"password": "hunter22"})
    outs = {redactor().redact(data, [Region(0, len(data))], ()).data for _ in range(2)}
    assert len(outs) == 1
