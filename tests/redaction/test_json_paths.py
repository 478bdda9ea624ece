"""Rules by JSON path: what they mean is masked, whole or cut off, and all else is left."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import flask
import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import ConfigurationError, load, replay, settings, writer
from retrace_core.codec import encode
from retrace_core.redaction.json_path import Number, parse, selected
from retrace_core.redaction.json_texts import documents
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region
from retrace_mw import RetraceMiddleware
from tests.http_origin import origin
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path

NAMES = Names()


def masked(text: str | bytes, *rules: str) -> bytes:
    """Return a text, masked by these rules."""
    redactor = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), paths=[*map(parse, rules)])
    data = encode(text if isinstance(text, bytes) else text.encode())
    out = redactor.redact(data, [Region(0, len(data))], ()).data
    assert len(out) == len(data)
    return out[len(data) - len(text if isinstance(text, bytes) else text.encode()) :]


ORDER = {
    "customer": {"name": "Ada Lovelace", "town": "London Town"},
    "items": [{"note": "for the engine"}, {"note": "for the notes", "price": 1234.5}],
    "name": "order of parts",
}
MEANT = {
    "$.customer.name": ["Ada Lovelace"],
    "$.customer": ["Ada Lovelace", "London Town"],
    "$.items[*].note": ["for the engine", "for the notes"],
    "$.items[1].note": ["for the notes"],
    "$.items[7].note": [],
    "$..name": ["Ada Lovelace", "order of parts"],
    "$..items[*]['note']": ["for the engine", "for the notes"],
    "$.items..price": ["1234.5"],
    "$[*].town": ["London Town"],
    '$["customer"]["town"]': ["London Town"],
    "$.customer[0]": [],
}


@pytest.mark.parametrize("rule", MEANT)
def test_what_a_rule_means(rule: str) -> None:
    """Each means these values, and no others."""
    document = next(documents(json.dumps(ORDER).encode()))
    assert sorted(selected(document.value, parse(rule))) == MEANT[rule]


@pytest.mark.parametrize("rule", MEANT)
def test_is_masked_and_nothing_else(rule: str) -> None:
    """What the rule means is masked; the document is as it was elsewhere."""
    out = masked(json.dumps(ORDER), rule).decode()
    assert [one for one in _leaves(ORDER) if one not in out] == MEANT[rule]
    json.loads(out)


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return [leaf for one in inside for leaf in _leaves(one)]
    return [str(value)]


@pytest.mark.parametrize(
    "rule",
    ["", "$", "a.b", "$.", "$..", "$.a[-1]", "$.a-b", "$.a[01]", "$[", "$..[*]", "$.*", "$['']"],
)
def test_what_is_no_rule_is_refused_at_start(recordings: Path, rule: str) -> None:
    """The setting is named, and what is wrong."""
    with pytest.raises(ConfigurationError, match=r"redact_paths.*(is no step|\(it )"):
        RetraceMiddleware(flask.Flask("shop"), redact_paths=[rule])


def test_the_three_places_of_a_rule(tmp_path: Path) -> None:
    """A keyword, a variable, a row of the file's table."""
    file = tmp_path / "retrace.toml"
    file.write_text("[retrace.redact]\npaths = ['$.a', '$..b']\n")
    assert settings.resolve({"config": str(file)}, {}).redact_paths == ("$.a", "$..b")
    assert settings.resolve({}, {"RETRACE_REDACT_PATHS": "$.a, $..b"}).redact_paths == (
        "$.a",
        "$..b",
    )
    assert settings.resolve({"redact_paths": ["$.a"]}, {}).redact_paths == ("$.a",)


WRITTEN = {
    "escapes in the name": rb'{"n\u006fte": "s3cret value"}',
    "escapes in the value": rb'{"note": "s3cr\u0065t\u0020valu\u0065"}',
    "a slash as PHP writes it": rb'{"note": "s3cret\/value"}',
    "twice the same name": b'{"note": "s3cret value", "note": ""}',
    "after a head": b'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{"note": "s3cret value"}',
    "a line each": b'{"a": 1}\n{"note": "s3cret value"}\n',
    "events": b'event: x\ndata: {"note": "s3cret value"}\n\n',
    "one after another": b'{"a": 1}{"note": "s3cret value"}',
    "after what is none": b'[done]\n{"note": "s3cret value"}',
    "before what is wrong": b'{"note": "s3cret value", wrong}',
    "cut off": b'{"note": "s3cret value',
    "cut off in an escape": b'{"note": "s3cret value\\u00',
    "cut off later": b'{"note": "s3cret value", "b": [1, tr',
    "in a list of lists": b'[[{"a": [{"note": ["s3cret value"]}]}]]',
}


@pytest.mark.parametrize("name", WRITTEN)
def test_however_it_is_written(name: str) -> None:
    """The value is gone, as it stands there and decoded."""
    out = masked(WRITTEN[name], "$..note")
    assert out != WRITTEN[name]
    assert b"s3cr" not in out
    for document in documents(out):
        assert "s3cret" not in repr(document.value)


def test_numbers_stay_numbers() -> None:
    """They are as long, and none begins with a nought."""
    out = masked('{"a": {"n": [1234, -5678, 10.5, 0.25, 12e3, 100200300400, true, null]}}', "$.a")
    numbers = json.loads(out)["a"]["n"]
    assert numbers[-2:] == [True, None]
    assert not {1234, -5678, 10.5, 0.25, 12e3, 100200300400} & set(numbers[:-2])


def test_a_number_is_masked_where_it_is_a_value_of_python() -> None:
    """As the application hands it on; what counts the events of the recording stays."""
    redactor = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), paths=[parse("$.price")])
    data = b"".join(map(encode, (b'{"price": 1234.5}', 1234.5, b'{"price": 7654321}', 7654321)))
    out = redactor.redact(data, [Region(0, len(data))], ()).data
    assert encode(1234.5) not in out
    assert encode(7654321) not in out


TEXTS = st.text(max_size=8)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
RULES = st.sampled_from(["$..a", "$.a.b", "$[*]", "$[0].a", "$.a[*].b", "$['a']..b", "$..a[0]"])
NAMED = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=12) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=12,
)


@given(NAMED, RULES, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_meant_is_gone(
    document: Any, rule: str, ascii_only: bool, indent: int | None
) -> None:
    """In any document, however it was written; and it is JSON of the same shape again."""
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    (before,) = [*documents(text.encode())] or [None]
    out = masked(text, rule).decode()
    assert _shape(json.loads(out)) == _shape(document)
    meant = {} if before is None else {*selected(before.value, parse(rule))}
    for value in meant:
        if not isinstance(value, Number) and any(c.isascii() and c.isalnum() for c in value):
            assert value not in _leaves(json.loads(out))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}
    return [_shape(one) for one in value] if isinstance(value, list) else type(value)


@given(JSONS, RULES, st.integers(0, 60))
def test_no_place_to_cut_breaks_it(document: Any, rule: str, at: int) -> None:
    """What is cut off anywhere is masked, and as long."""
    masked(json.dumps(document).encode()[:at], rule)


@given(st.text(st.sampled_from('{}[]",:\\ua01 \n'), max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever is sent."""
    masked(text, "$..a", "$[0]")


@given(st.text(max_size=20))
def test_any_rule_is_taken_or_refused(text: str) -> None:
    """With a ValueError, which says why."""
    try:
        rule = parse(f"${text}")
    except ValueError:
        return
    assert rule.steps


class Customers(BaseHTTPRequestHandler):
    """Answers in chunks that are cut anywhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a customer."""
        body = json.dumps({"customer": {"name": "Grace Hopper"}, "more": "x" * 70_000}).encode()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for begin in range(0, len(body), 17):
            part = body[begin : begin + 17]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def test_a_request_with_all_of_it(recordings: Path, tmp_path: Path) -> None:
    """Request, answers in chunks, a column of JSON, response: no name is there, and it replays."""
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE t (doc TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", ('{"customer": {"name": "Mary Shelley"}}',))
    app = flask.Flask("shop")

    with origin(Customers) as (base, _):

        @app.post("/")
        def view() -> Any:
            with closing(sqlite3.connect(file)) as connection:
                ((kept,),) = connection.execute("SELECT doc FROM t").fetchall()
            names = [
                one["customer"]["name"]
                for one in (
                    flask.request.json,
                    requests.get(base, timeout=5).json(),
                    httpx.get(base, timeout=5).json(),
                    json.loads(kept),
                )
            ]
            return {"customer": {"name": names}, "same": names[1] == names[2]}

        rules = ["$.customer.name"]
        app.wsgi_app = RetraceMiddleware(app.wsgi_app, redact_paths=rules)  # type: ignore[method-assign]
        given = {"customer": {"name": "Ada Lovelace"}}
        answer = app.test_client().post("/", json=given, buffered=True)
        assert answer.json["same"]
    assert writer.flush(10)
    content = raw(recordings)
    for name in ("Ada Lovelace", "Mary Shelley", "Grace Hopper", "Lovelace", "Hopper", "Shelley"):
        assert name.encode() not in content
    recording = load(files(recordings)[0])
    assert recording.redaction is not None
    assert recording.redaction.masked.keys() == {"$.customer.name"}
    file.unlink()
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_the_numbers_of_the_events_stay() -> None:
    """An event's own number may be equal to a secret one: without it nothing replays."""
    redactor = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), paths=[parse("$.price")])
    number = encode(7654321)
    rest = encode("x.y") + b"\x00" + number + encode(b'{"price": 7654321}')
    event = b"\x97" + number + rest + number + number
    out = redactor.redact(event + encode(1), [Region(0, len(event), lane=True)], ()).data
    assert out[: 1 + len(number)] == event[: 1 + len(number)]
    assert out[len(event) - 2 * len(number) : len(event)] == number * 2
    assert out.count(number) == 3
    assert b"7654321" not in out
