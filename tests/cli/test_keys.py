"""keygen, scan and rekey, and what each command does with an encrypted recording."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.encryption import encrypting, is_encrypted, new_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRACE = "6a5b04c1d2e3f405162738495a6b7c8d"


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str], str]:
    """A function that makes a key: writes NAME.txt, and returns the public part."""

    def make(name: str) -> str:
        private, public = new_key()
        (tmp_path / f"{name}.txt").write_text(f"# {name}\n{private}\n")
        return public

    return make


@pytest.fixture
def locked(put: Callable[..., Path], keys: Callable[[str], str]) -> Path:
    """A recording encrypted to a key, of which key.txt is the private part."""
    path = put()
    path.write_bytes(encrypting(keys("key"), "encrypt_to")(path.read_bytes()))
    return path


def test_keygen_writes_a_key_for_its_owner_alone(
    retrace: Callable[..., Any], tmp_path: Path
) -> None:
    """The private key goes into a file of mode 0600, the public one is printed."""
    done = retrace("keygen", "new.txt")
    assert done.returncode == 0
    assert done.stdout.startswith("age1")
    file = tmp_path / "new.txt"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"# public key: {done.stdout}" in file.read_text()


def test_keygen_overwrites_nothing(retrace: Callable[..., Any], tmp_path: Path) -> None:
    """A lost private key would lose all that is encrypted to it."""
    (tmp_path / "old.txt").write_text("mine")
    done = retrace("keygen", "old.txt")
    assert done.returncode == 2
    assert (tmp_path / "old.txt").read_text() == "mine"


def test_the_key_opens_it(retrace: Callable[..., Any], locked: Path) -> None:
    """With --identity, or the variable, it is as any other."""
    assert retrace("show", locked, "--identity", "key.txt").returncode == 0
    assert retrace("show", locked, env={"RETRACE_IDENTITY": "key.txt"}).returncode == 0


COMMANDS = [
    ["show"],
    ["replay"],
    ["export", "--format", "json"],
    ["scan"],
    ["rekey", "--to", "PUBLIC"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
@pytest.mark.parametrize("key", ["none", "another"])
def test_without_the_key_it_says_so(
    retrace: Callable[..., Any],
    locked: Path,
    keys: Callable[[str], str],
    command: list[str],
    key: str,
) -> None:
    """One line that names the option; nothing is changed."""
    before = locked.read_bytes()
    public = keys("another")
    given = [public if one == "PUBLIC" else one for one in command]
    more = ["--identity", "another.txt"] if key == "another" else []
    done = retrace(given[0], locked, *given[1:], *more)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "--identity" in done.stderr
    assert locked.read_bytes() == before


@pytest.mark.parametrize("keep", [30, 150, -1, -20])
def test_a_truncated_one_says_so(retrace: Callable[..., Any], locked: Path, keep: int) -> None:
    """It is no wrong key."""
    locked.write_bytes(locked.read_bytes()[:keep])
    done = retrace("show", locked, "--identity", "key.txt")
    assert done.returncode == 2
    assert "damaged or not there in full" in done.stderr


@pytest.mark.parametrize("content", ["", "hello", "AGE-SECRET-KEY-1WRONG"])
def test_a_file_without_a_key_says_so(
    retrace: Callable[..., Any], locked: Path, tmp_path: Path, content: str
) -> None:
    """What was given as a key is named."""
    (tmp_path / "none.txt").write_text(content)
    done = retrace("show", locked, "--identity", "none.txt")
    assert done.returncode == 2
    assert "none.txt" in done.stderr


def test_ls_lists_what_can_be_told(retrace: Callable[..., Any], locked: Path) -> None:
    """Trace, service, size and time are known from outside."""
    done = retrace("ls")
    assert done.returncode == 0
    assert TRACE in done.stdout
    assert "encrypted" in done.stdout
    (one,) = json.loads(retrace("ls", "--json").stdout)
    assert (one["encrypted"], one["service"]) == (True, "shop")
    assert "POST /orders" in retrace("ls", "--identity", "key.txt").stdout


def test_doctor_counts_the_encrypted(retrace_alone: Callable[..., Any], locked: Path) -> None:
    """They are no unreadable files."""
    said = retrace_alone("doctor").stdout
    assert "1 file in" in said
    assert "encrypted: --identity" in said


def test_rekey(retrace: Callable[..., Any], locked: Path, keys: Callable[[str], str]) -> None:
    """The new key opens it, and the old one does not any more."""
    mode = stat.S_IMODE(locked.stat().st_mode)
    done = retrace("rekey", "recordings", "--identity", "key.txt", "--to", keys("new"))
    assert done.returncode == 0, done.stderr
    assert retrace("show", locked, "--identity", "new.txt").returncode == 0
    assert retrace("show", locked, "--identity", "key.txt").returncode == 2
    assert stat.S_IMODE(locked.stat().st_mode) == mode
    assert [one.name for one in locked.parent.iterdir()] == ["trace.bin"]


def test_rekey_encrypts_what_was_not(
    retrace: Callable[..., Any], put: Callable[..., Path], keys: Callable[[str], str]
) -> None:
    """A recording in clear text is encrypted."""
    path = put()
    assert retrace("rekey", path, "--to", keys("new")).returncode == 0
    assert is_encrypted(path.read_bytes())


def test_rekey_writes_nothing_when_one_is_unusable(
    retrace: Callable[..., Any], locked: Path, put: Callable[..., Path], keys: Callable[[str], str]
) -> None:
    """All are read before the first is written."""
    torn = put(service="other")
    torn.write_bytes(torn.read_bytes()[:-3])
    before = locked.read_bytes(), torn.read_bytes()
    done = retrace("rekey", "recordings", "--identity", "key.txt", "--to", keys("new"))
    assert done.returncode == 2
    assert (locked.read_bytes(), torn.read_bytes()) == before


def test_rekey_to_no_key(retrace: Callable[..., Any], locked: Path) -> None:
    """What is no public key is named."""
    done = retrace("rekey", locked, "--identity", "key.txt", "--to", "age1nonsense")
    assert done.returncode == 2
    assert "age1nonsense" in done.stderr


def test_scan_tells_places_and_no_values(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """The hand-made recording has a bearer token and a cookie in clear text."""
    path = put()
    done = retrace("scan", path)
    assert done.returncode == 1, done.stderr
    assert "authorization" in done.stdout
    assert "s3cret" not in done.stdout
    found = json.loads(retrace("scan", path, "--json").stdout)
    assert {"request", "response"} <= {one["where"] for one in found}


def test_nothing_is_said_of_no_recordings(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """`--recordings` says where they are, and not which: that none has a secret would mislead."""
    done = retrace("scan", "--recordings", put().parents[2])
    assert done.returncode == 2
    assert "Missing argument RECORDING" in done.stderr


def test_scan_of_masked_recordings(shop: Callable[..., Any], recorded_shop: Path) -> None:
    """What is masked is no secret."""
    done = shop("scan", recorded_shop / "recordings")
    assert done.returncode == 0, done.stdout
