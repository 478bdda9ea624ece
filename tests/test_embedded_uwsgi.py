"""uWSGI, which has the interpreter in it: what it loads is recorded, or told of."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from retrace_core import AppNotLoadable, load
from retrace_core.cli.apps import locate
from retrace_mw.embedded_uwsgi import places
from tests.server_process import free_port
from tests.serving import get, serving
from tests.test_programs import replayed

UWSGI = Path(sys.executable).with_name("uwsgi")
needs_uwsgi = pytest.mark.skipif(not UWSGI.exists(), reason="uwsgi is not installed")
APPLICATION = """
import time
def made():
    def application(environ, start_response):
        start_response("200 OK", [])
        return [str(time.time()).encode()]
    return application
application = made()
import flask
framework = flask.Flask("served")
framework.add_url_rule("/", view_func=lambda: str(time.time()))
"""


def served(tmp_path: Path, *options: str, recorded: bool = True) -> list[Path]:
    """Return the recordings of one request to a module `served` under uWSGI.

    A worker that is ended while it is busy runs nothing at its end, so one waits for what is to be
    `recorded`.
    """

    def found() -> list[Path]:
        return list(tmp_path.glob("one/*/trace.bin"))

    (tmp_path / "served.py").write_text(APPLICATION)
    port = free_port()
    command = ["retrace_core.cli", "run", "--", str(UWSGI), "--enable-threads", "--die-on-term"]
    command += ["--http-socket", f"127.0.0.1:{port}", "--pythonpath", str(tmp_path), *options]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
        get(base)  # so that the one before has ended, too
        deadline = time.monotonic() + 30
        while recorded and not found() and time.monotonic() < deadline:
            time.sleep(0.02)
    return found()


@needs_uwsgi
@pytest.mark.parametrize("name", ["served", "served:made()"])
def test_an_application_of_no_framework_is_recorded_and_replays(name: str, tmp_path: Path) -> None:
    """It is the attribute of a module that uWSGI imports, or made by one."""
    (path,) = served(tmp_path, "--module", name)
    assert replayed(path, "--app-dir", str(tmp_path))["identical"]


@needs_uwsgi
def test_a_replay_that_comes_out_otherwise_starts_no_uwsgi(tmp_path: Path) -> None:
    """It would bind and fork past the interpreter, and serve for good."""
    (path,) = served(tmp_path, "--module", "served")
    (tmp_path / "served.py").write_text(APPLICATION.replace("time.time()", "'another'"))
    report = replayed(path, "--app-dir", str(tmp_path))
    assert not report["identical"]
    with pytest.raises(AppNotLoadable, match="uWSGI"):
        locate(load(path).header, None, None, None, as_program=True)


@needs_uwsgi
def test_an_application_that_is_loaded_by_its_path_replays(tmp_path: Path) -> None:
    """uWSGI gives its module a name by which nobody could import it."""
    file = str(tmp_path / "served.py")
    (path,) = served(tmp_path, "--wsgi-file", file, "--callable", "framework")
    assert replayed(path)["identical"]


@needs_uwsgi
def test_one_of_no_framework_that_is_loaded_by_its_path_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is recorded."""
    log = tmp_path / "log"
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "0")
    file = str(tmp_path / "served.py")
    assert served(tmp_path, "--wsgi-file", file, "--logto2", str(log), recorded=False) == []
    assert "are not recorded: it is of no framework" in log.read_text()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"module": ["shop:app"]}, [("shop", "app")]),
        ({"module": ["shop.web"], "callable": ["app"]}, [("shop.web", "app")]),
        ({"wsgi": ["shop:make()"]}, [("shop", "make()")]),
        ({"wsgi": ["shop.wsgi"]}, [("shop.wsgi", "application")]),
        ({"mount": ["/a=a:app", "/b=b.py", "/c=c.wsgi"]}, [("a", "app")]),
        ({"wsgi-file": ["shop.py"]}, []),
    ],
)
def test_what_options_name(options: dict[str, list[str]], found: list[tuple[str, str]]) -> None:
    """An attribute of a module that is imported by its name."""
    assert list(places(options)) == found
