"""`retrace find` and `retrace catalog`: recordings by what is known of them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.encryption import encrypting, new_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECOND_NS = 10**9
STARTED_NS = 1_750_000_000 * SECOND_NS


@pytest.fixture
def three(put: Callable[..., Path]) -> None:
    """Three recordings, a second apart: a success, a failure, another service."""
    put("a" * 32, started_ns=STARTED_NS, route="/orders/{id}", tags={"user": 42})
    put(
        "b" * 32,
        started_ns=STARTED_NS + SECOND_NS,
        status=503,
        error="builtins.KeyError",
        path="/pay/7",
        duration_ns=3 * SECOND_NS,
    )
    put("c" * 32, "till", started_ns=STARTED_NS + 2 * SECOND_NS, status=0, error="app.Broken")


def traces(output: str) -> list[str]:
    """Return the first letters of the traces in a JSON listing."""
    return [(entry.get("trace") or entry["folder"])[0] for entry in json.loads(output)]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["c", "b", "a"]),
        (["--service", "shop", "--status", "5xx"], ["b"]),
        (["--exception", "KeyError", "--slower", "1s"], ["b"]),
        (["--route", "/orders/*", "--tag", "user=42"], ["a"]),
        (["--since", "2025-06-15T15:06:41+00:00"], ["c", "b"]),
        (["--larger", "1GB"], []),
    ],
    ids=str,
)
def test_filters(inside: Callable[..., Any], options: list[str], expected: list[str]) -> None:
    """Each filter keeps what it says; the catalog is filled unasked."""
    done = inside("find", "--json", *options)
    assert done.returncode == 0, done.stderr
    assert traces(done.stdout) == expected


@pytest.mark.usefixtures("three")
def test_pages_by_cursor(inside: Callable[..., Any]) -> None:
    """What `there are more` names leads to the next page."""
    first = inside("find", "--limit", 2)
    assert [line[:5] for line in first.stdout.splitlines()[1:]] == ["2025-", "2025-"]
    cursor = re.search(r"--after (\S+)", first.stderr)
    assert cursor is not None
    assert traces(inside("find", "--json", "--after", cursor[1]).stdout) == ["a"]


@pytest.mark.usefixtures("three")
def test_a_row_tells_what_is_known(inside: Callable[..., Any]) -> None:
    """Time, place, request, route, outcome, tags and reason."""
    row = inside("find", "--trace", "aaaa").stdout.splitlines()[1]
    shown = " ".join(row.split())
    assert f"{'a' * 32}/shop POST /orders /orders/{{id}} 200" in shown
    assert "user=42 yes: SampleRate" in shown


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "options",
    [
        ["--slower", "fast"],
        ["--slower", "0s"],
        ["--larger", "-1"],
        ["--larger", "big"],
        ["--tag", "user"],
        ["--tag", "=7"],
        ["--after", "nonsense"],
        ["--status", "9xx"],
        ["--recordings", "/nowhere/at/all"],
        ["--recordings", "ftp://host/folder"],
    ],
    ids=str,
)
def test_bad_input_is_named(inside: Callable[..., Any], options: list[str]) -> None:
    """One line on standard error, and exit status 2."""
    done = inside("find", *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.usefixtures("three")
def test_a_wrong_setting_is_named_without_its_password(inside: Callable[..., Any]) -> None:
    """RETRACE_CATALOG may hold one."""
    env = {"RETRACE_CATALOG": "mysql://me:s3cret@host/db"}
    done = inside("find", env=env)
    assert done.returncode == 2
    assert "RETRACE_CATALOG" in done.stderr
    assert "s3cret" not in done.stderr + inside("config", env=env).stdout


@pytest.mark.usefixtures("three")
def test_the_catalog_is_filled_and_told_of(inside: Callable[..., Any], tmp_path: Path) -> None:
    """update, status and rebuild say how many there are, and where the catalog is."""
    assert "3 recordings added; 3 looked at" in inside("catalog", "update").stdout
    assert "0 recordings added; 3 looked at" in inside("catalog", "update").stdout
    (tmp_path / "recordings" / ("a" * 32) / "shop" / "trace.bin").unlink()
    assert "0 recordings added, 1 gone; 2" in inside("catalog", "update", "--full").stdout
    assert "2 recordings added; 2 looked at" in inside("catalog", "rebuild").stdout
    status = json.loads(inside("catalog", "status", "--json").stdout)
    assert (status["recordings"], status["store"]) == (2, str(tmp_path / "recordings"))


@pytest.mark.usefixtures("three")
def test_an_old_catalog_says_so(inside: Callable[..., Any]) -> None:
    """Where an update is not wanted, nothing new is found."""
    assert "not filled yet" in inside("find", "--no-update").stderr
    assert traces(inside("find", "--json", "--update").stdout) == ["c", "b", "a"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--status", "5xx"], ["b"]),
        (["--service", "till"], ["c"]),
        (["--path", "/pay/*"], ["b"]),
        (["--path", "/pay/[7]"], ["b"]),
        (["--trace", "aaaa"], ["a"]),
        (["--limit", "2"], ["c", "b"]),
        (["--until", "2025-06-15T15:06:40+00:00"], ["a"]),
    ],
    ids=str,
)
def test_ls_finds_the_same_by_the_catalog(
    inside: Callable[..., Any], options: list[str], expected: list[str]
) -> None:
    """With a catalog beside the recordings, `ls` lists what it lists without."""
    inside("catalog", "update")
    assert traces(inside("ls", "--json", *options).stdout) == expected


@pytest.mark.usefixtures("three")
def test_ls_reads_only_what_the_catalog_names(inside: Callable[..., Any], tmp_path: Path) -> None:
    """A file that is not asked for is not opened, once the catalog knows it."""
    inside("catalog", "update")
    (tmp_path / "recordings" / ("a" * 32) / "shop" / "trace.bin").write_bytes(b"damaged since")
    assert traces(inside("ls", "--json", "--service", "till").stdout) == ["c"]
    (tmp_path / "recordings" / ".catalog" / "catalog.sqlite").unlink()
    assert traces(inside("ls", "--json").stdout) == ["c", "b", "a"]


def test_what_is_encrypted_is_found_with_the_key(
    inside: Callable[..., Any], put: Callable[..., Path], tmp_path: Path
) -> None:
    """Without it a recording is in the catalog by its place alone; with it, erased by its tag."""
    private, public = new_key()
    (tmp_path / "key.txt").write_text(private)
    file = put("a" * 32, tags={"user": 42})
    file.write_bytes(encrypting(public, "encrypt_to")(file.read_bytes()))
    assert traces(inside("find", "--json").stdout) == []
    assert traces(inside("find", "--json", "--unreadable").stdout) == ["a"]
    assert inside("erase", "--tag", "user=42").returncode == 1
    key = {"RETRACE_IDENTITY": str(tmp_path / "key.txt")}
    found = inside("find", "--json", "--update", "--tag", "user=42", env=key)
    assert traces(found.stdout) == ["a"]
    assert inside("erase", "--tag", "user=42", env=key).returncode == 0
    assert not file.exists()
