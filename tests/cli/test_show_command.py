"""`retrace show`: one recording to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.codec import encode
from retrace_core.native import SOFT_KINDS
from retrace_core.recording import Failure, Frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRACE = "6a5b04c1d2e3f405162738495a6b7c8d"


@pytest.fixture
def shown(retrace: Callable[..., Any], put: Callable[..., Path]) -> str:
    """What is printed of the hand-made recording."""
    put()
    done = retrace("show", TRACE)
    assert done.returncode == 0, done.stderr
    output: str = done.stdout
    return output


@pytest.mark.parametrize(
    "line",
    [
        "shop POST /orders 200 12.0 ms",
        "why yes: drawn at rate 1 (SampleRate)",
        "POST /orders?page=2 HTTP/1.1",
        '"item": "tea"',
        "0 read 2× time.time 1.5, 2.5",  # noqa: RUF001
        "+900 µs 100 µs 0 sqlite3.execute SELECT a FROM t WHERE b = ? (7,) columns a",
        "+1.9 ms 100 µs 0 sqlite3.fetch 2 rows [(1,), (2,)]",
        "+2.9 ms 1.1 ms 0 http.exchange GET http://up/quote?x=1 201 Created application/json",
        "+3.9 ms 1.1 ms 0 http.bytes 2 reads 105 B",
        '"paid": 6',
        "[11 B application/json]",
    ],
)
def test_line(shown: str, line: str) -> None:
    """Each part of a recording has its line."""
    assert line in " ".join(shown.split())


def test_route_and_tags_have_a_line(retrace: Callable[..., Any], put: Callable[..., Path]) -> None:
    """What the application called the request by is shown, as text and as JSON."""
    put(route="/orders/{id}", tags={"user": 7, "paid": True, "a": "b"})
    told = " ".join(retrace("show", TRACE).stdout.split())
    assert "route /orders/{id}" in told
    assert "tags a=b paid=true user=7" in told
    (shown,) = json.loads(retrace("show", TRACE, "--json").stdout)
    assert shown["header"]["tags"] == {"user": 7, "paid": True, "a": "b"}


def test_sensitive_headers_are_masked(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """Neither text nor JSON shows a secret header, unless it is asked for."""
    put()
    assert "s3cret" not in retrace("show", TRACE).stdout
    assert "Authorization: ***" in retrace("show", TRACE).stdout
    assert "czNjcmV0" not in retrace("show", TRACE, "--json").stdout  # base64
    assert "Bearer s3cret" in retrace("show", TRACE, "--reveal").stdout


def test_hash_secret_is_masked(retrace: Callable[..., Any], put: Callable[..., Path]) -> None:
    """The recorded hash secret is not shown."""
    from retrace_core.recording import Environment

    put(environment=Environment(hash_seed="ab" * 24))
    assert "abab" not in retrace("show", TRACE, "--json").stdout


def test_exception_is_printed_as_python_does(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """The traceback has its cause before it, and begins in the application."""
    cause = Failure("builtins.KeyError", "'tea'", [Frame("/src/shop.py", 9, "find", "items[n]")])
    frames = [
        Frame("/lib/retrace_mw/wsgi.py", 70, "RetraceMiddleware._record", "context.run("),
        Frame("/src/shop.py", 12, "buy", "find(name)"),
    ]
    put(failure=Failure("shop.OutOfStock", "no tea", frames, cause=cause), error="shop.OutOfStock")
    printed = retrace("show", TRACE).stdout
    assert printed.endswith(
        """
Exception
  Traceback (most recent call last):
    File "/src/shop.py", line 9, in find
      items[n]
  KeyError: 'tea'

  The above exception was the direct cause of the following exception:

  Traceback (most recent call last):
    File "/src/shop.py", line 12, in buy
      find(name)
  shop.OutOfStock: no tea
"""
    )


def test_lanes_are_in_order_of_completion(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """Reads of a clock stand right before the next call of their lane; --lane picks one."""
    read = encode([SOFT_KINDS.index("time.time"), 1, 1.5])

    def call(seq: int, name: str) -> bytes:
        return encode([seq, "redis.get", 0, name, None, seq * 1000, 10])

    lanes = [("0", call(1, "a") + call(3, "c"), 2, True), ("0.0", read + call(2, "b"), 2, False)]
    put(lanes=lanes)
    table = retrace("show", TRACE, "--events", "all").stdout.split("ANSWERED\n")[1].split("\n\n")[0]
    assert [line.split()[-1] for line in table.splitlines()] == ["a", "1.5", "b", "c", "sealed"]
    only = retrace("show", TRACE, "--lane", "0", "--events", "hard").stdout
    assert "redis.get  c" in only
    assert "redis.get  b" not in only


@pytest.mark.parametrize(
    ("status", "value", "words"),
    [
        (
            1,
            [["sqlite3.IntegrityError", "builtins.Exception"], ["not unique"], {}, []],
            "raised sqlite3.IntegrityError: not unique",
        ),
        (2, None, "cancelled"),
        (1, "nonsense", "raised an exception"),
    ],
)
def test_failed_calls(
    retrace: Callable[..., Any], put: Callable[..., Path], status: int, value: object, words: str
) -> None:
    """A call that raised or was cancelled says so."""
    event = encode([1, "redis.get", status, "key", value, 1000, 10])
    put(lanes=[("0", event, 1, True)])
    assert words in retrace("show", TRACE).stdout


def test_recover_shows_what_is_readable(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """A file without its end is shown with --recover, and it is said where it ends."""
    path = put()
    path.write_bytes(path.read_bytes()[:-10])
    done = retrace("show", path, "--recover")
    assert done.returncode == 0
    assert "sqlite3.execute" in done.stdout
    assert "after 2 whole frames" in done.stderr


def test_long_values_are_cut_unless_full(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """--full shows what is cut otherwise."""
    event = encode([1, "sqlite3.execute", 0, ("SELECT " + "x" * 5000, ()), None, 1000, 10])
    put(lanes=[("0", event, 1, True)])
    assert "x" * 5000 not in retrace("show", TRACE).stdout
    assert "x" * 5000 in retrace("show", TRACE, "--full").stdout


def test_json_is_an_array_of_whole_recordings(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """--json has everything, one element for each service."""
    put()
    put(service="till")
    both = json.loads(retrace("show", TRACE, "--json").stdout)
    assert [one["header"]["service"] for one in both] == ["shop", "till"]
    assert both[0]["request"]["body"] == {"text": '{"item": "tea"}'}
    assert both[0]["lanes"][0]["events"][2]["key"] == ["SELECT a\n  FROM t\n WHERE b = ?", [7]]
