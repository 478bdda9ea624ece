"""The commands, given a cloud's store: what they find, what they bring, how they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retrace_core import writer
from retrace_core.cli import run
from retrace_core.store import open_store
from retrace_core.store.pack import make_pack
from retrace_mw import RetraceMiddleware
from tests.stores.conftest import s3, s3_for_all
from tests.stores.contract import fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.stores.emulators import Emulator

__all__ = ["s3", "s3_for_all"]


def app(environ: dict[str, object], start: Callable[..., object]) -> Iterable[bytes]:
    """Answer."""
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@pytest.fixture
def url(
    s3: Emulator, recordings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Return a store with three traces: one loose, two in a pack, with their boot tape."""
    from wsgiref.util import setup_testing_defaults

    from retrace_core.boot import tape as boot_tape

    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("RETRACE_APP", "tests.cli.test_cloud:app")
    monkeypatch.setenv("RETRACE_SERVICE", "shop")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    wrapped = RetraceMiddleware(app)
    for trace in ("a" * 32, "b" * 32, "c" * 32):
        environ: dict[str, object] = {"HTTP_X_TRACE_ID": trace}
        setup_testing_defaults(environ)
        list(wrapped(environ, lambda *_: lambda _: None))
    assert writer.flush()
    boot_tape._tape = None
    store = open_store(f"s3://recordings/{fresh()}")
    packed = []
    for path in recordings.rglob("*.bin"):
        folder, service, name = path.relative_to(recordings).parts
        one = (folder, service, f"{len(packed):016x}", path.read_bytes())
        if folder.startswith(("b", "c")) and name.startswith("trace"):
            packed.append(one)
        else:
            store.put(*one)
    store.blobs.put(".packs/2026-11-28/1.pack", make_pack(packed))
    yield store.url


def output(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """Run a command; return what it printed."""
    assert run(arguments) == status, capsys.readouterr()
    said = capsys.readouterr()
    return said.out if status == 0 else said.err


def test_ls_lists_a_store(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Recordings in packs as others, by a beginning too."""
    found = json.loads(output(capsys, "ls", "--recordings", url, "--json"))
    assert sorted(one["trace"] for one in found) == ["a" * 32, "b" * 32, "c" * 32]
    found = json.loads(output(capsys, "ls", "--recordings", url, "--trace", "bbb", "--json"))
    assert [one["trace"] for one in found] == ["b" * 32]
    assert found[0]["file"].startswith(f"{url}/{'b' * 32}/shop/trace.")


@pytest.mark.parametrize("trace", ["a" * 32, "b" * 32])
def test_a_url_is_replayed(url: str, trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As a trace, and as its whole path."""
    (path,) = [one.path for one in open_store(url).list(folder=trace)]
    for asked in (f"{url}/{trace}", f"{url}/{trace}/shop", f"{url}/{path}"):
        assert "GET" in output(capsys, "show", asked)
    assert "identical" in output(capsys, "replay", f"{url}/{trace}")


def test_a_trace_id_is_looked_up_in_a_store(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given as an option, or by the setting."""
    assert "GET" in output(capsys, "show", "bbbbbb", "--recordings", url)
    monkeypatch.setenv("RETRACE_RECORDING_PATH", url)
    assert "GET" in output(capsys, "show", "aaaaaaaa/shop")
    assert "give 6 characters" in output(capsys, "show", "aaa", status=2)
    assert "no trace begins so" in output(capsys, "show", "dddddddd", status=2)
    assert "has no recording other" in output(capsys, "show", f"{'a' * 32}/other", status=2)


def test_verify_takes_a_store(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All that is below it."""
    said = output(capsys, "verify", url, "--isolate", "none", "--jobs", "1")
    assert "3" in said


def test_fetch_brings_a_trace_with_its_boot_tape(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Private, once, and whole."""
    target = tmp_path / "here"
    arguments = ("fetch", "cccccc", "--from", url, "--to", str(target), "--json")
    found = json.loads(output(capsys, *arguments))
    assert [Path(one).parts[-3] for one in found["recordings"]] == ["c" * 32]
    assert [Path(one).name for one in found["boot_tapes"]] == ["boot.bin"]
    assert found["missing_boot_tapes"] == []
    assert target.stat().st_mode & 0o777 == 0o700
    assert json.loads(output(capsys, *arguments))["new_bytes"] == 0
    assert "identical" in output(capsys, "replay", "cccccc", "--recordings", str(target))


def test_a_damaged_pack_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2, and it stays."""
    blobs = open_store(url).blobs
    blobs.put(".packs/2026-11-28/2.pack", b"RTPACK1\n")
    assert "2.pack is no pack" in output(capsys, "ls", "--recordings", url, status=2)
    assert blobs.get(".packs/2026-11-28/2.pack") == b"RTPACK1\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ls", "--recordings", "s3://no-such-bucket/x"), "no such bucket"),
        (("ls", "--recordings", "ftp://host/x"), "s3://bucket/prefix"),
        (("show", "s3://no-such-bucket/aaaaaa"), "no such bucket"),
        (("fetch", "aaaaaa", "--from", "s3://no-such-bucket"), "no such bucket"),
        (("fetch", "../etc", "--from", "s3://recordings"), "no trace id"),
        (("replay", "s3://recordings/../../etc/passwd"), "s3://bucket/prefix"),
        (("ship", "--once", "--spool", "/", "--to", "/"), "another place"),
        (("ship", "--interval", "soon"), "no length of time"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    s3: Emulator, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is wrong."""
    said = output(capsys, *arguments, status=2)
    assert words in said
    assert said.count("\n") == 1
