"""Secrets that a start-up got in the clear, since nothing told that they are any."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.boot.texts import text_at, texts_in
from retrace_core.codec import encode
from retrace_core.redaction.in_boot import InBoot
from tests.redaction.raw import files, raw
from tests.replay_report import replays
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

GATE = """
import hashlib
import secrets
import string
import uuid
from urllib.parse import parse_qs

import retrace_mw

LETTERS = string.ascii_letters + string.digits
with open("members.txt") as lines:
    MEMBERS = {name: given for name, _, given in (line.strip().partition(":") for line in lines)}
DIGESTS = {hashlib.sha256(given.encode()).hexdigest() for given in MEMBERS.values()}
DRAWN = {
    "urlsafe": secrets.token_urlsafe(24),
    "hex": secrets.token_hex(16),
    "uuid": str(uuid.uuid4()),
    "letters": "".join(secrets.choice(LETTERS) for _ in range(20)),
}
with open("drawn.txt", "w") as file:
    file.write("\\n".join(DRAWN.values()))


def application(environ, start_response):
    asked = {name: given[0] for name, given in parse_qs(environ["QUERY_STRING"]).items()}
    bearer = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    token = asked.get("token", bearer)
    who = [name for name, given in (MEMBERS | DRAWN).items() if given == token]
    known = hashlib.sha256(token.encode()).hexdigest() in DIGESTS
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{who} {known}".encode()]


app = retrace_mw.RetraceMiddleware(application)
"""
MEMBERS = {"ann": "kQ7-zzx9.first_4411", "bob": "s3cr3t/p=ass+w0rd"}


@pytest.fixture
def pointing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by default."""
    monkeypatch.delenv("RETRACE_REDACT_POINT_TO_CODE")
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")


@pytest.mark.usefixtures("pointing")
def test_who_gives_what_the_start_up_got_is_known_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file without names, and drawn; the requests have only pseudonyms of it."""
    (tmp_path / "gate.py").write_text(GATE)
    (tmp_path / "members.txt").write_text("".join(f"{a}:{b}\n" for a, b in MEMBERS.items()))
    monkeypatch.chdir(tmp_path)
    with under_gunicorn("gate:app", tmp_path / "recordings") as base:
        said = [
            get(f"{base}/", {"Authorization": f"Bearer {MEMBERS['ann']}", "X-Trace-ID": "a0"}),
            get(f"{base}/?token=s3cr3t%2Fp%3Dass%2Bw0rd", {"X-Trace-ID": "a1"}),
        ]
        drawn = (tmp_path / "drawn.txt").read_text().split()
        said += [
            get(f"{base}/?token={one}", {"X-Trace-ID": f"a{number}"})
            for number, one in enumerate(drawn, 2)
        ]
        wrong = get(f"{base}/?token=kQ7-zzx9.first_4412", {"X-Trace-ID": "wrong"})
    names = [answer.partition("]")[0].strip("['") for answer in said]
    assert names == ["ann", "bob", "urlsafe", "hex", "uuid", "letters"]
    assert wrong == "[] False"
    (tmp_path / "members.txt").unlink()
    for path in files(tmp_path / "recordings"):
        if path.name == "trace.bin":
            assert not any(one.encode() in raw(path.parent) for one in (*MEMBERS.values(), *drawn))
    for trace in (*(f"a{number}" for number in range(len(said))), "wrong"):
        replays(trace)


@given(st.binary(min_size=12, max_size=64).filter(lambda drawn: not drawn.isascii()))
def test_a_token_of_drawn_bytes_is_known_in_each_way_of_writing_it(drawn: bytes) -> None:
    ways = {
        drawn.hex(),
        base64.b64encode(drawn).decode(),
        base64.urlsafe_b64encode(drawn).rstrip(b"=").decode(),
    }
    if len(drawn) == 16:
        ways |= {str(one := uuid.UUID(bytes=drawn, version=4)), one.hex}
    data = b"".join(map(encode, ["before", drawn, {"after": 1}]))
    found = {one.text.decode(): one for one in texts_in(data)}
    assert ways <= found.keys()
    for text, (_, place, size, form) in found.items():
        assert text_at(data, place, size, form).decode() == text


def test_words_and_short_texts_are_no_secrets() -> None:
    text = "the configuration of our shop: debug=on, port 8000; see /etc/shop, 2026-11-29"
    assert list(texts_in(encode(text))) == []


def test_a_fork_has_a_tape_of_its_own() -> None:
    token = secrets.token_hex(8)
    known = InBoot()
    known.add("one", "1", [("0/0", encode(token))])
    assert [one.file for one in known.of([(token.encode(), b"x" * 16)])] == ["1"]
    known.add("two", "1", [("0/0", encode(hashlib.sha256(b"").hexdigest()))])
    assert known.of([(token.encode(), b"x" * 16)]) == []
