"""`retrace export`: JSON and HTTP Archives."""

from __future__ import annotations

import json
import stat
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRACE = "6a5b04c1d2e3f405162738495a6b7c8d"

# Source: HAR 1.2 specification, the members that are not optional.
ENTRY = {
    "startedDateTime": str,
    "time": (int, float),
    "request": dict,
    "response": dict,
    "cache": dict,
    "timings": dict,
}
REQUEST = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "queryString": list,
    "headersSize": int,
    "bodySize": int,
}
RESPONSE = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "content": dict,
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
CONTENT = {"size": int, "mimeType": str}
TIMINGS = {"send": (int, float), "wait": (int, float), "receive": (int, float)}


def check(value: dict[str, Any], members: dict[str, Any]) -> None:
    """Check that a HAR object has the members that it must have."""
    for name, kind in members.items():
        assert isinstance(value[name], kind), name


@pytest.fixture
def entries(retrace: Callable[..., Any], put: Callable[..., Path]) -> list[dict[str, Any]]:
    """The entries of the hand-made recording's archive."""
    put()
    done = retrace("export", TRACE, "--format", "har")
    log = json.loads(done.stdout)["log"]
    assert log["version"] == "1.2"
    check(log["creator"], {"name": str, "version": str})
    found: list[dict[str, Any]] = log["entries"]
    return found


def test_every_member_is_there(entries: list[dict[str, Any]]) -> None:
    """Each entry has the members that the specification requires, and times that add up."""
    for entry in entries:
        check(entry, ENTRY)
        check(entry["request"], REQUEST)
        check(entry["response"], RESPONSE)
        check(entry["response"]["content"], CONTENT)
        check(entry["timings"], TIMINGS)
        assert entry["time"] == pytest.approx(sum(entry["timings"].values()))
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None


def test_incoming_request_comes_first(entries: list[dict[str, Any]]) -> None:
    """The first entry is the recorded request, with its body and query."""
    request = entries[0]["request"]
    assert request["url"] == "http://shop.example/orders?page=2"
    assert request["queryString"] == [{"name": "page", "value": "2"}]
    assert request["postData"]["text"] == '{"item": "tea"}'


def test_outgoing_requests_follow(entries: list[dict[str, Any]]) -> None:
    """A call through http.client is put together from the bytes that were read."""
    entry = entries[1]
    assert entry["request"]["url"] == "http://up/quote?x=1"
    assert entry["response"]["status"] == 201
    assert entry["response"]["content"]["text"] == '{"a":1}'


def test_httpx_calls_are_entries(retrace: Callable[..., Any], put: Callable[..., Path]) -> None:
    """A call through httpx has the head of its event and the chunks after it."""
    from retrace_core.codec import encode

    head = [
        200,
        [(b"content-type", b"text/plain"), (b"set-cookie", b"id=s3cret")],
        {"http_version": b"HTTP/2"},
    ]
    events = [
        encode([1, "httpx.request", 0, "GET https://up/", head, 1000, 100]),
        encode([2, "httpx.chunk", 0, None, b"one ", 1100, 100]),
        encode([3, "httpx.chunk", 0, None, b"two", 1200, 100]),
        encode([4, "httpx.chunk", 0, None, None, 1300, 100]),
    ]
    put(lanes=[("0", b"".join(events), 4, True)])
    text = retrace("export", TRACE, "--format", "har").stdout
    entry = json.loads(text)["log"]["entries"][1]
    assert entry["response"]["content"]["text"] == "one two"
    assert entry["response"]["httpVersion"] == "HTTP/2"
    assert "s3cret" not in text


def test_secrets_are_masked_unless_asked_for(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """Sensitive headers are masked in both formats."""
    put()
    for form in ("har", "json"):
        assert "s3cret" not in retrace("export", TRACE, "--format", form).stdout
        assert "Bearer s3cret" in retrace("export", TRACE, "--format", form, "--reveal").stdout


def test_file_is_written_whole_and_private(
    retrace: Callable[..., Any], put: Callable[..., Path], tmp_path: Path
) -> None:
    """-o writes a file that only its owner may read."""
    put()
    target = tmp_path / "out.json"
    assert retrace("export", TRACE, "--format", "json", "-o", target).returncode == 0
    assert json.loads(target.read_text())["recordings"][0]["header"]["service"] == "shop"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_folder_that_is_not_there_is_one_line(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """An output file that can't be made is told without a traceback."""
    put()
    done = retrace("export", TRACE, "--format", "json", "-o", "/nowhere/out.json")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No such file or directory" in done.stderr
