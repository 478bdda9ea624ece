"""`retrace replay`: runs real recordings again, with the world gone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Shop = Callable[..., Any]
BUY = "trace-buy/shop"


def report(output: str) -> dict[str, Any]:
    """Return the report on the only recording of a JSON output."""
    (only,) = json.loads(output)["recordings"]
    found: dict[str, Any] = only
    return found


def test_identical(shop: Shop) -> None:
    """A recording finds its own app, comes out the same, and it is said what was compared."""
    done = shop("replay", BUY)
    assert done.returncode == 0, done.stderr
    assert "identical  shop  GET /buy  →  200" in done.stdout
    assert "same: status, 2 headers," in done.stdout


def test_the_same_exception_is_raised(shop: Shop) -> None:
    """A failed request fails again, with the same message and traceback."""
    done = shop("replay", "trace-fail", "--json")
    assert done.returncode == 0, done.stderr
    assert report(done.stdout)["replayed"]["error"] == "builtins.LookupError"


def test_what_the_app_prints_does_not_disturb_json(shop: Shop) -> None:
    """With --json, standard output has the report and nothing else."""
    done = shop("replay", BUY, "--json")
    assert report(done.stdout)["identical"] is True
    assert "the app prints this" in done.stderr


def test_set_order_comes_out_the_same(shop: Shop) -> None:
    """The recorded hash secret is restored, whatever this process was started with."""
    for seed in ("1", "2", "random"):
        done = shop("replay", "trace-words", "--json", env={"PYTHONHASHSEED": seed})
        assert done.returncode == 0, done.stdout
        assert report(done.stdout)["warnings"] == []


def test_divergence_is_told_in_words(shop: Shop, line_of: Callable[[str], int]) -> None:
    """Changed SQL diverges: recorded and asked, the line of code, and what is around it."""
    done = shop("replay", BUY, env={"SHOP_SQL": "SELECT name FROM items WHERE price > ?"})
    assert done.returncode == 1
    assert "recorded  sqlite3.execute  SELECT name, price FROM items WHERE price > ?" in done.stdout
    assert "asked     sqlite3.execute  SELECT name FROM items WHERE price > ?" in done.stdout
    assert f"shop.py:{line_of('connection.execute')} in application" in done.stdout
    assert "> 0  sqlite3.execute" in done.stdout


def test_divergence_as_json(shop: Shop) -> None:
    """The report for machines has both sides of the divergence."""
    done = shop("replay", BUY, "--json", env={"SHOP_SQL": "SELECT name FROM items"})
    divergence = report(done.stdout)["divergence"]
    assert divergence["recorded"]["key"][0].startswith("SELECT name, price")
    assert divergence["asked"]["key"][0] == "SELECT name FROM items"
    assert divergence["where"]["function"] == "application"


def test_changed_body_is_shown_as_a_difference_of_lines(shop: Shop) -> None:
    """A body that differs is compared line by line, JSON laid out."""
    done = shop("replay", BUY, env={"SHOP_EXTRA": "1"})
    assert done.returncode == 1
    assert "body came out differently" in done.stdout
    assert '+  "extra": 1' in done.stdout


def test_a_trace_is_replayed_service_by_service(shop: Shop) -> None:
    """Each recording of a trace is replayed in a process of its own, and listed."""
    done = shop("replay", "trace-buy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        ["identical", "shop"],
        ["identical", "till"],
    ]


def test_a_trace_as_json(shop: Shop) -> None:
    """The status of several is the worst, and one object holds all reports."""
    done = shop("replay", "trace-buy", "trace-words", "--json", env={"SHOP_EXTRA": "1"})
    found = json.loads(done.stdout)
    assert (done.returncode, found["exit_status"], found["identical"]) == (1, 1, False)
    assert [one["service"] for one in found["recordings"]] == ["shop", "till", "shop"]


def test_one_unusable_of_several_has_its_reason(shop: Shop, tmp_path: Path) -> None:
    """A file that can't be replayed does not keep the others from it."""
    bad = tmp_path / "trace.bin"
    bad.write_bytes(b"nonsense")
    done = shop("replay", bad, BUY)
    assert done.returncode == 2
    assert "is no trace file; give the path of a trace.bin" in done.stdout
    assert "identical  shop" in done.stdout


def test_apps_file_maps_services(shop: Shop, tmp_path: Path, recorded_shop: Path) -> None:
    """A mapping file says where the app of a service is, relative to itself."""
    mapping = tmp_path / "apps.toml"
    mapping.write_text(f'[apps.shop]\napp = "shop:application"\ndir = "{recorded_shop}"\n')
    done = shop(
        "replay",
        BUY,
        "--apps",
        mapping,
        "--json",
        cwd=tmp_path,
        env={"RETRACE_RECORDING_PATH": str(recorded_shop / "recordings")},
    )
    assert report(done.stdout)["app"] == "shop:application"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[apps.shop", "a readable TOML file"),
        ("[apps.shop]\napp = 7\n", 'use app = "module:attribute"'),
        ('[apps.shop]\napp = "shop"\n', 'use app = "module:attribute"'),
    ],
)
def test_wrong_apps_file_is_one_line(shop: Shop, tmp_path: Path, content: str, words: str) -> None:
    """A mapping file that means nothing is refused with what is allowed."""
    mapping = tmp_path / "apps.toml"
    mapping.write_text(content)
    done = shop("replay", BUY, "--apps", mapping)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_app_names_the_three_ways(retrace: Shop, put: Callable[..., Path]) -> None:
    """A recording that names no app says how to name one."""
    done = retrace("replay", put())
    assert done.returncode == 2
    for way in ("--app module:attribute", "[apps.shop]", "RETRACE_APP"):
        assert way in done.stderr


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ("nothere:app", "No module named 'nothere'"),
        ("shop:nothing", "has no attribute 'nothing'"),
        ("shop", "is not of the form module:attribute"),
        ("shop:stranger", "it is another application; give its own with --app"),
    ],
)
def test_wrong_app_is_one_line(shop: Shop, app: str, words: str) -> None:
    """An app that can't be imported, or is another one, makes the recording unusable."""
    done = shop("replay", BUY, "--app", app)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("retrace: ")] == [
        done.stderr.splitlines()[-1]
    ]


def test_app_that_breaks_on_import_is_one_line(
    retrace: Shop, put: Callable[..., Path], tmp_path: Path
) -> None:
    """An exception, or an exit, while the app is imported is told without its traceback."""
    (tmp_path / "broken.py").write_text("import sys\nsys.exit('no configuration')\n")
    done = retrace("replay", put(), "--app", "broken:app")
    assert done.returncode == 2
    assert "SystemExit: no configuration" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_strict_refuses_what_only_warns_else(
    retrace: Shop, put: Callable[..., Path], tmp_path: Path
) -> None:
    """Another version of Python or of a library warns; --strict refuses."""
    from retrace_core.recording import Environment

    (tmp_path / "app.py").write_text(
        "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n"
    )
    made_with = Environment(python="3.11.0", libraries={"click": "0.1"})
    path = put(environment=made_with, lanes=[])
    done = retrace("replay", path, "--app", "app:app")
    assert done.returncode == 1
    assert "note: recorded with Python 3.11.0" in done.stderr
    assert "note: recorded with click 0.1" in done.stderr
    done = retrace("replay", path, "--app", "app:app", "--strict")
    assert done.returncode == 2
    assert "refused by --strict: recorded with Python 3.11.0" in done.stderr


def test_hash_seed_that_is_none_is_noted(
    retrace: Shop, put: Callable[..., Path], tmp_path: Path
) -> None:
    """A seed that no interpreter takes changes nothing, and is told."""
    from retrace_core.recording import Environment

    (tmp_path / "app.py").write_text("def app(environ, start_response):\n    return []\n")
    done = retrace(
        "replay", put(environment=Environment(hash_seed="$(reboot)")), "--app", "app:app"
    )
    assert "the order of sets may differ" in done.stderr


def test_endless_replay_is_given_up(
    retrace: Shop, put: Callable[..., Path], tmp_path: Path
) -> None:
    """An app that never ends is left after the given time."""
    (tmp_path / "app.py").write_text(
        "def app(environ, start_response):\n    while True:\n        pass\n"
    )
    done = retrace("replay", put(), "--app", "app:app", "--timeout", "0.5")
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first == "retrace: the replay took longer than 0.5 s; give it more with --timeout"
    assert rest[0] == "  it was in POST /orders"
    assert re.fullmatch(r"  thread MainThread is at app\.py:[23] in app", rest[1])


def test_an_endless_replay_that_nobody_hears_is_given_up(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    """Whoever had asked for it may be gone, and the pipe with it."""
    (tmp_path / "app.py").write_text(
        "def app(environ, start_response):\n    while True:\n        pass\n"
    )
    command = [sys.executable, "-m", "retrace_core.cli", "replay", str(put()), "--app", "app:app"]
    process = subprocess.Popen([*command, "--timeout", "0.5"], cwd=tmp_path, stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(60) == 2


def test_nothing_of_the_app_runs_on_after_the_replay(
    retrace: Shop, put: Callable[..., Path], tmp_path: Path
) -> None:
    """Exit handlers and threads of the app reach no live world when the replay is over."""
    (tmp_path / "app.py").write_text(
        "import atexit, pathlib, threading\n"
        "atexit.register(lambda: pathlib.Path('left-behind').touch())\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "def app(environ, start_response):\n    return []\n"
    )
    done = retrace("replay", put(), "--app", "app:app")
    assert done.returncode == 1
    assert not (tmp_path / "left-behind").exists()


def test_no_bytecode_is_written(retrace: Shop, put: Callable[..., Path], tmp_path: Path) -> None:
    """A replay leaves nothing beside the app's source."""
    (tmp_path / "app.py").write_text("def app(environ, start_response):\n    return []\n")
    retrace("replay", put(), "--app", "app:app")
    assert {one.name for one in tmp_path.iterdir()} == {"app.py", "recordings"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.bin", "--timeout", "0"],
        ["x.bin", "--json", "--pdb"],
        ["x.bin", "--debugpy", "99999"],
    ],
)
def test_wrong_usage_is_one_line(
    retrace: Shop, put: Callable[..., Path], tmp_path: Path, arguments: list[str]
) -> None:
    """Options that don't fit are refused."""
    put().rename(tmp_path / "x.bin")
    done = retrace("replay", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
