"""What the tests of the commands share: hand-made recordings, a recorded app, the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from retrace_core.cli import run
from retrace_core.codec import encode
from retrace_core.native import SOFT_KINDS
from retrace_core.recording import (
    DecisionRecord,
    Environment,
    Failure,
    Frame,
    Header,
    Request,
    Response,
)
from retrace_core.trace_file import Draft, dump

Command = Callable[..., "subprocess.CompletedProcess[str]"]

TRACE = "6a5b04c1d2e3f405162738495a6b7c8d"
STARTED_NS = 1_750_000_000_000_000_000

SHOP = """
import json, os, random, sqlite3, sys, threading, time

DATABASE = os.environ["SHOP_DATABASE"]

def price(row):
    got = []
    worker = threading.Thread(target=lambda: got.append(row[1] * 2))
    worker.start()
    worker.join()
    return got[0]

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path not in ("/buy", "/fail", "/words"):
        start_response("404 Not Found", [])
        return [b"unknown"]
    print("the app prints this")
    connection = sqlite3.connect(DATABASE)
    sql = os.environ.get("SHOP_SQL", "SELECT name, price FROM items WHERE price > ?")
    row = connection.execute(sql, (1,)).fetchone()
    if path == "/fail":
        raise LookupError(f"no stock of {row[0]} at {time.time()}")
    body = {"paid": price(row), "at": time.time(), "draw": random.random()}
    if path == "/words":
        body = {"order": list({"ash", "birch", "cedar", "elm", "fir", "oak"})}
    if "SHOP_EXTRA" in os.environ:
        body["extra"] = 1
    start_response("200 OK", [("Content-Type", "application/json"), ("Set-Cookie", "id=s3cret")])
    return [json.dumps(body).encode()]

from retrace_mw import RetraceMiddleware

app = RetraceMiddleware(application, service="shop")
other = RetraceMiddleware(application, service="till")

def stranger(environ, start_response):
    start_response("404 Not Found", [])
    return [b"never heard of it"]
"""

RECORD = """
import sqlite3, sys, threading, urllib.error
from urllib.request import Request, urlopen
from wsgiref.simple_server import make_server
import shop

connection = sqlite3.connect(shop.DATABASE)
connection.execute("CREATE TABLE items (name, price)")
connection.execute("INSERT INTO items VALUES ('tea', 3)")
connection.commit()
for app, calls in ((shop.app, ("buy", "fail", "words")), (shop.other, ("buy",))):
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for call in calls:
        headers = {"X-Trace-ID": f"trace-{call}", "Authorization": "Bearer s3cret"}
        url = f"http://127.0.0.1:{server.server_port}/{call}"
        try:
            urlopen(Request(url, headers=headers)).read()
        except urllib.error.HTTPError:
            pass
    server.shutdown()
    thread.join()
    server.server_close()
"""


def hard(seq: int, kind: str, key: object, value: object, status: int = 0) -> bytes:
    """Return an encoded hard event; it took 100 µs and ended at `seq` milliseconds."""
    return encode([seq, kind, status, key, value, seq * 1000, 100])


def soft(kind: str, value: object, site: int = 1) -> bytes:
    """Return an encoded soft event."""
    return encode([SOFT_KINDS.index(kind), site, value])


def lane(lane_id: str, *events: bytes, complete: bool = True) -> tuple[str, bytes, int, bool]:
    """Return a lane as a draft holds it."""
    return lane_id, b"".join(events), len(events), complete


EVENTS = (
    soft("time.time", 1.5),
    soft("time.time", 2.5),
    hard(1, "sqlite3.execute", ("SELECT a\n  FROM t\n WHERE b = ?", (7,)), (["a"], -1, None, 0, 0)),
    hard(2, "sqlite3.fetch", None, [(1,), (2,)]),
    hard(3, "http.exchange", "GET http://up/quote?x=1", None),
    hard(
        4,
        "http.bytes",
        None,
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
        b"Set-Cookie: id=s3cret\r\nContent-Length: 7\r\n\r\n",
    ),
    hard(5, "http.bytes", None, b'{"a":1}'),
)


@pytest.fixture
def make_draft() -> Callable[..., Draft]:
    """A function that makes a draft; keywords replace fields of the header or the draft."""

    def make(**changes: Any) -> Draft:
        parts = {
            name: changes.pop(name)
            for name in ("request", "response", "failure", "lanes")
            if name in changes
        }
        lanes = parts.get("lanes", [lane("0", *EVENTS)])
        fields: dict[str, Any] = {
            "trace_id": TRACE,
            "span_id": "00f067aa0ba902b7",
            "parent_span_id": "",
            "service": "shop",
            "started_ns": STARTED_NS,
            "duration_ns": 12_000_000,
            "method": "POST",
            "path": "/orders",
            "status": 200,
            "error": "",
            "decision": DecisionRecord("yes", "SampleRate", "drawn at rate 1"),
            "environment": Environment(),
            "folder": TRACE,
            "events": sum(one[2] for one in lanes),
        }
        return Draft(
            header=Header(**{**fields, **changes}),
            request=parts.get("request", request()),
            response=parts.get("response", response()),
            failure=parts.get("failure"),
            lanes=lanes,
            sites={1: "shop.py:buy"},
        )

    return make


def request() -> Request:
    """Return a request with a secret header and a JSON body."""
    return Request(
        protocol="wsgi",
        method="POST",
        scheme="http",
        path="/orders",
        raw_path=b"/orders",
        query=b"page=2",
        root_path="",
        http_version="1.1",
        server=("shop.example", 80),
        client=("10.0.0.9", 4711),
        headers=[
            ("Host", "shop.example"),
            ("Authorization", "Bearer s3cret"),
            ("Content-Type", "application/json"),
        ],
        body=[b'{"item"', b': "tea"}'],
        body_bytes=15,
    )


def response() -> Response:
    """Return a response with a secret header and a JSON body."""
    return Response(
        status=200,
        reason="OK",
        headers=[("Content-Type", "application/json"), ("Set-Cookie", "id=s3cret")],
        body=[b'{"paid": 6}'],
        body_bytes=11,
        chunks=1,
    )


def failure() -> Failure:
    """Return an exception with a cause."""
    cause = Failure("builtins.KeyError", "'tea'", [Frame("/src/shop.py", 9, "find", "items[name]")])
    frames = [
        Frame("/lib/retrace_mw/wsgi.py", 70, "RetraceMiddleware._record", "context.run("),
        Frame("/src/shop.py", 12, "buy", "find(name)"),
    ]
    return Failure("shop.OutOfStock", "no tea", frames, cause=cause)


@pytest.fixture
def put(tmp_path: Path, make_draft: Callable[..., Draft]) -> Callable[..., Path]:
    """A function that writes a hand-made recording below tmp_path/recordings."""

    def write(
        folder: str = TRACE, service: str = "shop", name: str = "trace.bin", **changes: Any
    ) -> Path:
        path = tmp_path / "recordings" / folder / service / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dump(make_draft(folder=folder, service=service, **changes)))
        return path

    return write


@pytest.fixture
def retrace(tmp_path: Path) -> Command:
    """The command `retrace`, run in tmp_path as a process of its own."""
    return command_in(tmp_path)


@pytest.fixture
def inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command `retrace`, run in tmp_path by this process: quicker, where that will do."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RETRACE")]:
        monkeypatch.delenv(name)

    def run_inside(
        *arguments: object, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        given = [str(one) for one in arguments]
        capsys.readouterr()
        with monkeypatch.context() as patched:
            for name, value in (env or {}).items():
                patched.setenv(name, value)
            status = run(given)
        told = capsys.readouterr()
        return subprocess.CompletedProcess(given, status, told.out, told.err)

    return run_inside


def command_in(folder: Path) -> Command:
    """Return a function that runs `retrace` in a folder, with none of our settings."""

    def run(
        *arguments: object,
        env: dict[str, str] | None = None,
        input: str = "",
        options: Sequence[str] = (),
        **more: Any,
    ) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("RETRACE")}
        # The terminal of whoever runs the tests must not show.
        clean.pop("PYTHONHASHSEED", None)
        return subprocess.run(
            [sys.executable, *options, "-m", "retrace_core.cli", *map(str, arguments)],
            cwd=more.pop("cwd", folder),
            env={**clean, "PYTHONPATH": ROOT, "PYTHONIOENCODING": "utf-8", **(env or {})},
            input=input,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            **more,
        )

    return run


ROOT = str(Path(__file__).resolve().parents[2])


@pytest.fixture(scope="session")
def needed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the distributions that Retrace needs, and none beside."""
    folder = tmp_path_factory.mktemp("needed")
    names = {"retrace-mw"}
    todo = ["retrace-mw"]
    while todo:
        wanted = [Requirement(one) for one in metadata.requires(todo.pop()) or ()]
        more = {one.name for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})}
        todo += more - names
        names |= more
    for one in map(metadata.distribution, names - {"retrace-mw"}):
        for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            place = folder / top
            if not place.exists():
                place.symlink_to(str(one.locate_file(top)))
    return folder


@pytest.fixture
def retrace_alone(tmp_path: Path, needed: Path) -> Command:
    """The command `retrace` where nothing else is installed, run in tmp_path.

    For `doctor`, which imports each client library that there is: here that would be hundreds.
    """
    run = command_in(tmp_path)

    def alone(*arguments: object, env: dict[str, str] | None = None, **more: Any) -> Any:
        paths = {"PYTHONPATH": os.pathsep.join((ROOT, str(needed)))}
        return run(*arguments, env={**paths, **(env or {})}, options=["-S"], **more)

    return alone


@pytest.fixture(scope="session")
def recorded_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with shop.py and recordings of it; its database and servers are gone."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(SHOP)
    (folder / "record.py").write_text(RECORD)
    database = folder / "shop.db"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RETRACE", "PYTHONHASHSEED"))}
    settings = {
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "1",
        "RETRACE_RECORD_HASH_SEED": "1",
        "SHOP_DATABASE": str(database),
        "PYTHONPATH": ROOT,
    }
    subprocess.run(
        [sys.executable, "record.py"],
        cwd=folder,
        env={**clean, **settings},
        check=True,
        capture_output=True,
    )
    database.unlink()
    return folder


@pytest.fixture
def shop(recorded_shop: Path) -> Command:
    """The command `retrace`, run in the folder of the recorded shop."""
    run = command_in(recorded_shop)

    def in_shop(*arguments: object, env: dict[str, str] | None = None, **more: Any) -> Any:
        return run(*arguments, env={"SHOP_DATABASE": "/nowhere/shop.db", **(env or {})}, **more)

    return in_shop


@pytest.fixture(scope="session")
def line_of(recorded_shop: Path) -> Callable[[str], int]:
    """A function that returns the number of the line of shop.py that has a text."""

    def find(text: str) -> int:
        lines = (recorded_shop / "shop.py").read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    return find
