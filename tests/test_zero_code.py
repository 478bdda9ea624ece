"""`retrace run`: an application that was not changed is recorded, its start-up too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from retrace_core import load
from retrace_mw.cli.run import environment
from tests.replay_report import replayed, replays
from tests.server_process import free_port
from tests.serving import get, serving

APPLICATIONS = (
    "flask_wsgi django_wsgi falcon_wsgi pyramid_wsgi"
    " django_asgi falcon_asgi fastapi_asgi starlette_asgi litestar_asgi quart_asgi"
    " bare_wsgi hidden_wsgi class_wsgi bare_asgi adapted_asgi"
).split()


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_unchanged_application_is_recorded_and_replays(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request is one recording; a fresh process answers it alike, its start-up included."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    port = free_port()
    if name.endswith("wsgi"):
        server = ["gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", f"tests.unchanged:{name}()"]
    else:
        server = ["uvicorn", "--port", str(port), "--factory", f"tests.unchanged:{name}"]
    command = ["retrace_core.cli", "run", "--", sys.executable, "-m", *server]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
    paths = list(tmp_path.glob("one/*/*.bin"))
    assert len(paths) == 1
    replays(paths[0])
    assert load(paths[0]).header.environment.hash_seed.isdecimal()


@pytest.mark.parametrize("name", ["adapted_asgi", "bare_asgi", "starlette_asgi"])
def test_an_application_that_gunicorn_hands_on_to_uvicorn_is_recorded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn tells the version of ASGI from what it is handed."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    port = free_port()
    server = ["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "-b", f"127.0.0.1:{port}"]
    command = ["retrace_core.cli", "run", "--", sys.executable, "-m", *server]
    with serving([*command, f"tests.unchanged:{name}()"], port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
    (path,) = tmp_path.glob("one/*/trace.bin")
    replays(path)


@pytest.mark.parametrize("name", ["bare_wsgi", "flask_wsgi"])
def test_an_application_of_wsgi_that_uvicorn_adapts_replays(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded as one of WSGI, as which a replay finds it."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    port = free_port()
    server = ["uvicorn", "--port", str(port), "--interface", "wsgi", "--factory"]
    command = ["retrace_core.cli", "run", "--", sys.executable, "-m", *server]
    with serving([*command, f"tests.unchanged:{name}"], port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
    (path,) = tmp_path.glob("one/*/trace.bin")
    assert replayed(path)["identical"]


def test_a_failure_in_a_mounted_application_replays(tmp_path: Path) -> None:
    """Its traceback is the application's, whatever of ours was put around its parts."""
    port = free_port()
    server = ["uvicorn", "--port", str(port), "--factory", "tests.unchanged:failing_asgi"]
    command = ["retrace_core.cli", "run", "--", sys.executable, "-m", *server]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        assert httpx.get(base, headers={"X-Trace-ID": "one"}).status_code == 500
    (path,) = tmp_path.glob("one/*/*.bin")
    recorded = load(path)
    assert recorded.failure is not None
    replays(path)


def test_the_environment_is_prepared_and_otherwise_left_alone() -> None:
    """What the user has set stays; the hash seed is fixed, unless it is not wanted."""
    before = {"PYTHONPATH": "mine", "RETRACE": "0", "COLOUR": "blue"}
    made = environment(before, hash_seed=True)
    assert made["PYTHONPATH"].endswith(f"{os.pathsep}mine")
    assert (made["RETRACE"], made["COLOUR"]) == ("0", "blue")
    assert made["PYTHONHASHSEED"].isdecimal()
    assert "PYTHONHASHSEED" not in environment({}, hash_seed=False)


def test_another_sitecustomize_still_runs(tmp_path: Path) -> None:
    """Ours stands before it on the path, and runs it."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.other_ran = True\n")
    made = environment({**os.environ, "PYTHONPATH": str(tmp_path)}, hash_seed=False)
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.other_ran, 'retrace_mw' in sys.modules)"],
        env=made,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["True", "True"], done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-program"], "is not to be found on PATH"),
        (["--sample-rate", "7", "--", "true"], "RETRACE_SAMPLE_RATE"),
        ([], "Missing argument"),
    ],
)
def test_what_can_not_run_is_said_at_once(arguments: list[str], said: str) -> None:
    """Exit status 2, and nothing is started."""
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "run", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "server",
    ["granian-asgi", "granian-wsgi", "hypercorn", "paste", "twisted", "waitress", "wsgiref"],
)
def test_an_application_of_no_framework_is_recorded_under_other_servers(
    server: str, tmp_path: Path
) -> None:
    """Each server's own way of getting hold of the application is hooked."""
    port = free_port()
    wsgiref = (
        "from wsgiref.simple_server import make_server; from tests import unchanged;"
        f" make_server('127.0.0.1', {port}, unchanged.bare_wsgi()).serve_forever()"
    )
    paste = (
        "from paste import httpserver; from tests import unchanged;"
        f" httpserver.serve(unchanged.bare_wsgi(), '127.0.0.1', {port})"
    )
    twisted = (
        "from twisted.internet import reactor; from twisted.web import server, wsgi;"
        " from tests import unchanged; application = unchanged.bare_wsgi();"
        " resource = wsgi.WSGIResource(reactor, reactor.getThreadPool(), application);"
        f" reactor.listenTCP({port}, server.Site(resource)); reactor.run()"
    )
    granian = ["-m", "granian", "--port", str(port), "--factory", "--interface"]
    called = "tests.unchanged:bare_wsgi"
    program = {
        "granian-asgi": [*granian, "asgi", "tests.unchanged:bare_asgi"],
        "granian-wsgi": [*granian, "wsgi", called],
        "hypercorn": ["-m", "hypercorn", "-b", f"127.0.0.1:{port}", "tests.unchanged:bare_asgi()"],
        "paste": ["-c", paste],
        "twisted": ["-c", twisted],
        "waitress": ["-m", "waitress", f"--listen=127.0.0.1:{port}", "--call", called],
        "wsgiref": ["-c", wsgiref],
    }[server]
    command = ["retrace_core.cli", "run", "--", sys.executable, *program]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
        get(base)  # so that the one before has ended, too
    assert len(list(tmp_path.glob("one/*/trace.bin"))) == 1


def test_an_application_that_was_found_by_a_path_of_one_dot_replays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Daphne puts "." on the path: what asks is named as where that path is another."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    port = free_port()
    daphne = str(Path(sys.executable).with_name("daphne"))
    server = [daphne, "-p", str(port), "tests.unchanged:BARE_ASGI"]
    command = ["retrace_core.cli", "run", "--", sys.executable, *server]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
    (path,) = tmp_path.glob("one/*/trace.bin")
    assert replayed(path)["identical"]
