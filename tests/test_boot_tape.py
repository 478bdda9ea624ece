"""Boot tape: a process that asked the world at its start boots again with the world gone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import load
from retrace_core.replay.boot import BootPlayer, find_boot_tape
from retrace_core.surroundings import find_out, secret_values
from tests.http_origin import origin
from tests.redaction.raw import raw
from tests.replay_report import replays, run_replay
from tests.server_process import free_port
from tests.serving import get, serving, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-7-of-production"
SHOP = """
import functools, hashlib, json, os, secrets, sqlite3, time, urllib.request
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy import NullPool, create_engine, event, text

from retrace_mw import RetraceMiddleware

SECRET = secrets.token_hex(8)
STARTED = time.time()
MODEL = hashlib.sha256(f"gpt:{os.environ['PAYMENT_API_KEY']}".encode()).hexdigest()
SETTINGS = urllib.request.urlopen(os.environ["SETTINGS_URL"]).read().decode()
engine = create_engine("sqlite:///shop.db", poolclass=NullPool)  # connects for each request


@event.listens_for(engine, "connect")
def on_connect(connection, record):  # the first connection of an engine asks more than this
    connection.execute("pragma foreign_keys = on")


class Check:  # hashed by its address, as the constraints are that a migration writes down
    def __init__(self, forbidden):
        self.text = f"check (name <> '{forbidden}')"


@functools.lru_cache
def plan_of(tenant):
    with engine.connect() as connection:
        asked = text("select plan from tenants where name = :name")
        plan = connection.execute(asked, {"name": tenant}).scalar()
        hint = connection.execute(text("select hint from hints")).scalar()
        return [plan, time.time(), hashlib.sha256(hint.encode()).hexdigest()]


@asynccontextmanager
async def lifespan(app):
    with engine.begin() as connection:
        connection.execute(text("create table tenants (name text, plan text)"))
        connection.execute(text("insert into tenants values ('acme', 'gold'), ('bcme', 'free')"))
        checks = ", ".join(check.text for check in {Check(letter) for letter in "abcdefgh"})
        await anyio.to_thread.run_sync(
            connection.execute, text(f"create table plans (name text, {checks})")
        )
        # A text of the code's own that is masked; the replay says it as it is in the code.
        connection.execute(text("create table hints (hint text)"))
        hint = {"hint": "as in password=example-of-one"}
        connection.execute(text("insert into hints values (:hint)"), hint)
        # Two, which nothing but their digests tells apart.
        connection.execute(text("create table samples (digest text)"))
        app.state.samples = []
        for sample in ("password=sample-of-two", "password=sample-of-six"):
            digest = {"digest": hashlib.sha256(sample.encode()).hexdigest()}
            connection.execute(text("insert into samples values (:digest)"), digest)
            asked = text("select rowid from samples where digest = :digest")
            app.state.samples.append(connection.execute(asked, digest).scalar())
        app.state.tenants = connection.execute(text("select count(*) from tenants")).scalar()
    yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(RetraceMiddleware)


@app.get("/plan/{tenant}")
def plan(tenant: str):
    return {
        "plan": plan_of(tenant),
        "booted": [SECRET, STARTED, SETTINGS, app.state.tenants, app.state.samples, MODEL],
        "colour": os.environ.get("COLOUR"),
        "now": time.time(),
    }


@app.get("/")
def ready():
    return "ready"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the shop once: two requests that are not recorded, then the same two recorded."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(SHOP)
    port = free_port()
    patch = pytest.MonkeyPatch()
    with patch.context() as here, origin() as (settings, _):
        here.chdir(folder)
        for name, value in {
            "RETRACE_BOOT_TAPE": "1",
            "SETTINGS_URL": f"{settings}/quote",
            "COLOUR": "blue",
            "PAYMENT_API_KEY": KEY,
        }.items():
            here.setenv(name, value)
        command = ["uvicorn", "shop:app", "--port", str(port), "--log-level", "error"]
        with serving(command, port, folder / "recordings", sample_rate=0) as base:
            get(f"{base}/plan/acme")
            get(f"{base}/plan/bcme")
            answers = {
                tenant: get(f"{base}/plan/{tenant}", {"X-Trace-ID": tenant})
                for tenant in ("acme", "bcme")
            }
    (folder / "shop.db").unlink()
    return {"folder": folder, "answers": answers}


@pytest.mark.parametrize("trace", ["acme", "bcme"])
def test_a_warm_process_is_replayed_cold(shop: dict[str, Any], trace: str) -> None:
    """Start-up, first connect and a cache that another request filled come from the tape."""
    there = {n: v for n, v in os.environ.items() if n not in ("SETTINGS_URL", "COLOUR")}
    replays(trace, "--app", "shop:app", cwd=shop["folder"], env=there)


def test_the_tape_is_written_once_beside_what_refers_to_it(shop: dict[str, Any]) -> None:
    """Both recordings name the same tape, and it is one file."""
    paths = [shop["folder"] / "recordings" / t / "clock" / "trace.bin" for t in ("acme", "bcme")]
    recordings = [load(path) for path in paths]
    assert recordings[0].header.boot == recordings[1].header.boot != ""
    tapes = [find_boot_tape(path, load(path)) for path in paths]
    assert len(tapes[0]) == len(tapes[1]) == 1


def test_a_secret_looking_variable_is_left_out(shop: dict[str, Any]) -> None:
    """Its name is kept, so that the replay can say which one is missing."""
    path = shop["folder"] / "recordings" / "acme" / "clock" / "trace.bin"
    tape = find_boot_tape(path, load(path))
    surroundings = BootPlayer(tape, 0).surroundings
    assert surroundings is not None
    assert surroundings.variables["COLOUR"] == "blue"
    assert "PAYMENT_API_KEY" in surroundings.masked
    assert KEY.encode() not in raw(shop["folder"] / "recordings")


def test_surroundings_are_found_out_where_blocking_calls_are_forbidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As blockbuster forbids them in an event loop, where most start-ups end."""
    here = os.getcwd()

    def forbidden() -> str:
        raise RuntimeError("Blocking call to os.getcwd")

    with monkeypatch.context() as watched:
        watched.setattr(os, "getcwd", forbidden)
        assert find_out(secrets=False).folder == here


def test_what_is_hashed_with_a_secret_at_start_up_is_masked(shop: dict[str, Any]) -> None:
    """Its digest stands in no recording, also not in the first; replays say another, alike."""
    digest = hashlib.sha256(f"gpt:{KEY}".encode()).hexdigest().encode()
    assert digest.decode() in str(shop["answers"]["acme"])
    assert digest not in raw(shop["folder"] / "recordings")


def test_what_is_hashed_with_a_secret_where_a_cache_is_filled_is_masked(
    shop: dict[str, Any],
) -> None:
    """As a tag of the settings is that are read when it is asked for first."""
    digest = hashlib.sha256(b"as in password=example-of-one").hexdigest().encode()
    assert digest.decode() in str(shop["answers"]["acme"])
    assert digest not in raw(shop["folder"] / "recordings")


def test_so_it_is_in_the_very_recording_in_which_it_was_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is written after the first one of the process, and after what was filled."""
    (tmp_path / "tagged.py").write_text(TAGGED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_gunicorn("tagged:app", tmp_path / "recordings") as base:
        get(f"{base}/", {"X-Trace-ID": "first"})
        tag = get(f"{base}/tag", {"X-Trace-ID": "second"})
    assert len(tag) == 64
    assert str(tag).encode() not in raw(tmp_path / "recordings")
    (tmp_path / "tags.db").unlink()
    replays("second", "--cold")


def test_without_its_tape_the_replay_says_what_is_missing(
    shop: dict[str, Any], tmp_path: Path
) -> None:
    """A lone trace.bin: its start-up is refused the live world, with a word on what to do."""
    source = shop["folder"] / "recordings" / "acme" / "clock" / "trace.bin"
    lone = tmp_path / "trace.bin"
    lone.write_bytes(source.read_bytes())
    there = {**os.environ, "SETTINGS_URL": "http://127.0.0.1:9/"}
    done = run_replay(lone, "--app", "shop:app", cwd=shop["folder"], env=there)
    assert done.returncode == 2
    assert "boot tape" in done.stderr


def test_ls_shows_requests_and_no_tapes(shop: dict[str, Any]) -> None:
    """A tape is no request."""
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "ls", "--json"],
        cwd=shop["folder"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    listed = json.loads(done.stdout)
    assert sorted(one["path"] for one in listed) == ["/plan/acme", "/plan/bcme"]


def test_show_names_the_tape(shop: dict[str, Any]) -> None:
    """Whoever copies a recording by hand sees which folder has to come along."""
    (tape,) = (shop["folder"] / "recordings").glob("boot-*/*")
    path = next((shop["folder"] / "recordings").glob("[0-9a-f]*/*/trace.bin"))
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "show", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"{tape.parent.name}/{tape.name}" in done.stdout


@pytest.mark.parametrize("isolate", ["fork", "process"])
def test_verify_boots_each_recording_from_its_tape(shop: dict[str, Any], isolate: str) -> None:
    """Tapes are no recordings to verify, and the application is imported on their answers."""
    there = {n: v for n, v in os.environ.items() if n not in ("SETTINGS_URL", "COLOUR")}
    options = ["--app", "shop:app", "--isolate", isolate, "--json", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "verify", "recordings", *options],
        cwd=shop["folder"],
        env=there,
        capture_output=True,
        text=True,
        timeout=100,
    )
    found = json.loads(done.stdout)
    assert (found["recordings"], found["exact"], done.returncode) == (2, 2, 0), done.stdout


TAGGED = """
import functools
import hashlib
import sqlite3

import retrace_mw

@functools.lru_cache
def tag():
    with sqlite3.connect("tags.db") as connection:
        said = connection.execute("select 'password=' || 'example-of-one'").fetchone()[0]
    return hashlib.sha256(said.encode()).hexdigest()

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [tag().encode() if environ["PATH_INFO"] == "/tag" else b"ready"]

app = retrace_mw.RetraceMiddleware(application)
"""
COUNTER = """
import os
import subprocess
import sys
import tempfile

import retrace_mw

SEEN = []
PRICES = {}
# The server has made a temporary file of its own before; the helper is told of the folder.
FOLDER = tempfile.mkdtemp()
command = [sys.executable, "-c", "import os; print(os.getpid())", FOLDER]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as helper:
    HELPER = f"{os.path.basename(FOLDER)} {helper.pid} {helper.stdout.read()}"

def fetch(name):
    import sqlite3
    with sqlite3.connect("prices.db") as connection:
        return connection.execute("select length(?) * 7", [name]).fetchone()[0]

def application(environ, start_response):
    name = environ["PATH_INFO"]
    SEEN.append(name)
    if name not in PRICES:
        PRICES[name] = fetch(name)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{name} costs {PRICES[name]}, request {len(SEEN)} {HELPER}".encode()]

app = retrace_mw.RetraceMiddleware(application)
"""


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record three requests to a service that keeps things in its memory."""
    (tmp_path / "counter.py").write_text(COUNTER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_gunicorn("counter:app", tmp_path / "recordings") as base:
        for trace in ("first", "second"):
            get(f"{base}/tea", {"X-Trace-ID": trace})
    (tmp_path / "prices.db").unlink()
    return tmp_path


def test_what_the_process_keeps_in_memory_comes_from_its_earlier_requests(counted: Path) -> None:
    """Alone, a warm request diverges; so they are run first, and that is said."""

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "retrace_core.cli", *arguments]
        return subprocess.run(command, cwd=counted, capture_output=True, text=True, timeout=100)

    assert told("replay", "second", "--cold").returncode == 1
    warmed = told("replay", "second")
    assert warmed.returncode == 0, warmed.stdout
    assert "2 earlier requests of its process were run first" in warmed.stderr
    assert told("replay", "second", "--warm").returncode == 0
    verified = told("verify", "recordings", "--app", "counter:app", "--json", "-")
    document = json.loads(verified.stdout)
    assert (document["exact"], document["recordings"], document["warmed"]) == (3, 3, 2)
    assert told("verify", "recordings", "--app", "counter:app", "--cold").returncode == 1


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_which_earlier_request_led_the_others_astray_is_said(
    counted: Path, options: list[str]
) -> None:
    """Of a replay that diverges alone, and after them too."""
    code = counted / "counter.py"
    code.write_text(code.read_text().replace("* 7", "* 8"))
    done = run_replay("second", *options)
    assert done.returncode == 1, done.stdout
    assert "earlier requests run first, 2 diverged; the first was" in done.stdout
    assert "what was not recorded (health checks" in done.stdout


@pytest.mark.parametrize("name", ["SSH_PORT", "GIT_COMMIT", "XDG_CONFIG_HOME"])
def test_settings_of_the_application_that_are_named_like_a_persons(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """An application that reads its SSH_PORT does not start without it."""
    monkeypatch.setenv(name, "2222")
    monkeypatch.setenv("SSH_TTY", "/dev/pts/1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    variables = find_out(secrets=False).variables
    assert variables[name] == "2222"
    assert variables.keys().isdisjoint(("SSH_TTY", "XDG_RUNTIME_DIR"))


@pytest.mark.parametrize("masked_later", [False, True])
def test_a_short_password_of_a_url_is_left_out(
    monkeypatch: pytest.MonkeyPatch, masked_later: bool
) -> None:
    """It is too short to be looked for everywhere; a longer one is masked before it is written."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:short@db/shop")
    monkeypatch.setenv("QUEUE_URL", "amqp://shop:not-so-short@queue/")
    variables = find_out(secrets=False, masked_later=masked_later).variables
    assert variables["DATABASE_URL"] == "postgresql://shop:masked@db/shop"
    assert ("not-so-short" in variables["QUEUE_URL"]) is masked_later


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("STRIPE_API_KEY", "sk-7-of-production", True),
        ("ADMIN_PASSWORD", "correct horse", True),
        ("SESSION_TOKEN", "abcdefgh1", True),
        ("DB_PASS", "correct horse", True),
        ("API_KEYS", "one-key,and more", True),
        ("AUTH_TOKEN_HEADER", "X-Shop-Token", False),
        ("DB_PASSWORD_FILE", "/run/secrets/db", False),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "30", False),
        ("REQUIRE_AUTH", "true", False),
        ("SSH_PASSWORD", "of-the-deploying", True),
        ("SSH_AUTH_SOCK", "/tmp/ssh-agent/agent.1", False),
        ("GIT_TOKEN", "glpat-of-the-shop", True),
        ("VAPID_PUBLIC_KEY", "BDd3-of-the-shop", False),
        ("TOKEN_PUBLIC_KEY_SECRET", "of-the-shop", True),
        ("JWT_KEY", "-----BEGIN PUBLIC KEY-----\nMFkwEw", False),
        ("JWT_KEY", "-----BEGIN PRIVATE KEY-----\nMFkwEw", True),
        ("AUTH_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", False),
        ("TLS_KEY", "-----BEGIN CERTIFICATE-----\n\n-----BEGIN PRIVATE KEY-----", True),
    ],
)
def test_which_variables_are_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: bool
) -> None:
    """Those that say how secrets are handled are settings, without which nothing starts."""
    monkeypatch.setenv(name, value)
    assert (value.encode() in secret_values()) is secret
    assert (name in find_out(secrets=False).masked) is secret


def test_each_key_of_a_list_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code compares what it is given with one of them; short ones may be a password with commas."""
    monkeypatch.setenv("API_KEYS", "key-of-ann-1, key-of-bob-2")
    monkeypatch.setenv("DB_PASS", "horse,bat")
    values = secret_values()
    assert {b"key-of-ann-1", b"key-of-bob-2", b"horse,bat"} <= values.keys()
    assert b"key-of-ann-1, key-of-bob-2" not in values
