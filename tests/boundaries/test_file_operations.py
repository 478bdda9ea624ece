"""What a request does with files and folders of the world, and with temporary ones, is done again.

Each with the folder gone on replay, and nothing of it made again.
"""

from __future__ import annotations

import bz2
import contextlib
import fcntl
import mmap
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retrace_core import replay
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable


def links_among_temporary_files(data: Path) -> object:
    """As Mercurial locks, and as a store of packages keeps one file under two names."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "x").write_text("1")
        os.symlink(at / "x", at / "y")
        os.symlink("x", at / "z")
        os.link(at / "x", at / "w")
        texts = [(at / name).read_text() for name in "wxyz"]
        return [texts, os.readlink(at / "z"), sorted(os.listdir(at)), os.stat(at / "w").st_nlink]


def a_link_from_a_temporary_folder(data: Path) -> object:
    """It leads to a file that is not there on replay, and is removed with its folder."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "y")
        os.symlink(data / "a.txt", link)
        return link.read_text()


def a_lock_that_is_a_link(data: Path) -> object:
    """Taken once, and by nobody else."""
    os.symlink("host:123", data / "lock")
    with pytest.raises(FileExistsError):
        os.symlink("host:124", data / "lock")
    held = os.readlink(data / "lock")
    os.unlink(data / "lock")
    return [held, os.path.lexists(data / "lock")]


def locks_of_the_system(data: Path) -> object:
    """By `fcntl`, of a file that is made for it."""
    with open(data / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(file, fcntl.LOCK_UN)
    return (data / "lock").exists()


def archives(data: Path) -> object:
    """Packed from the world and unpacked into it, and from temporary files."""
    with tarfile.open(data / "t.tgz", "w:gz") as tar:
        tar.add(data / "a.txt", arcname="a.txt")
    with tarfile.open(data / "t.tgz") as tar:
        names = tar.getnames()
        tar.extractall(data / "out", filter="data")
    with bz2.open(data / "b.bz2", "wt") as packed:
        packed.write("packed")
    with bz2.open(data / "b.bz2", "rt") as packed:
        unpacked = packed.read()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in").mkdir()
        Path(folder, "in", "x").write_text("x")
        made = shutil.make_archive(str(Path(folder, "o")), "zip", str(Path(folder, "in")))
        shutil.unpack_archive(made, str(Path(folder, "u")))
        found = Path(folder, "u", "x").read_text()
    return [names, (data / "out" / "a.txt").read_text(), unpacked, found]


def temporary_files_among_others(data: Path) -> object:
    """Where they can be renamed to their place."""
    with tempfile.NamedTemporaryFile(dir=data) as file:
        file.write(b"y")
        file.flush()
        told = [Path(file.name).read_text()]
    with tempfile.TemporaryDirectory(dir=data) as folder:
        Path(folder, "q").write_text("z")
        told += os.listdir(folder)
    handle, name = tempfile.mkstemp(dir=data)
    os.write(handle, b"new")
    os.close(handle)
    os.replace(name, data / "a.txt")
    return [*told, (data / "a.txt").read_text()]


def mapped_into_memory(data: Path) -> object:
    """Read and written."""
    with open(data / "a.txt", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        first = mapped[:5].decode()
        mapped[0:1] = b"X"
        return [first, mapped.find(b"beta"), mapped[:5].decode()]


def modes_and_times(data: Path) -> object:
    """Of a file that was there, and of a copy of it."""
    os.chmod(data / "a.txt", 0o600)
    os.utime(data / "a.txt", (1, 2))
    shutil.copy2(data / "a.txt", data / "c.txt")
    return [[oct(one.st_mode), one.st_mtime] for one in map(os.stat, sorted(data.iterdir()))]


def in_another_folder(data: Path) -> object:
    """Gone into, and left again."""
    with contextlib.chdir(data):
        return [Path("a.txt").read_text(), Path.cwd().name, os.listdir(".")]


def in_the_order_of_the_disk(data: Path) -> object:
    """Whatever that is."""
    for name in "qwertyuiop":
        (data / name).touch()
    walked = [(Path(one).name, folders, files) for one, folders, files in os.walk(data)]
    return [[one.name for one in os.scandir(data)], [one.name for one in data.rglob("*")], walked]


DONE = {
    one.__name__: one
    for one in (
        links_among_temporary_files,
        a_link_from_a_temporary_folder,
        a_lock_that_is_a_link,
        locks_of_the_system,
        archives,
        temporary_files_among_others,
        mapped_into_memory,
        modes_and_times,
        in_another_folder,
        in_the_order_of_the_disk,
    )
}


@pytest.mark.parametrize("done", DONE.values(), ids=DONE)
def test_it_comes_out_the_same(
    recordings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    done: Callable[[Path], object],
) -> None:
    """Twice, with nothing there."""
    home = tmp_path / "home"
    data = home / "data"
    data.mkdir(parents=True)
    monkeypatch.chdir(home)
    (data / "a.txt").write_text("alpha\nbeta\n")
    app, recording = record_wsgi(recordings, lambda: repr(done(data)))
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    shutil.rmtree(data)
    assert_identical(recording, app, times=2)
    assert not data.exists()


def test_a_link_leads_nobody_into_the_world(recordings: Path, tmp_path: Path) -> None:
    """What is written to a file's other name is in the file: none is given on replay."""
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    name = "recorded"

    def view() -> str:
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, name)
            if name != "recorded":
                os.link(kept, place)
            with open(place, "w") as file:
                file.write("lost")
        return "done"

    app, recording = record_wsgi(recordings, view)
    name = "asked"

    result = replay(recording, app)
    assert any("os.link" in one for one in result.refused), result.refused
    assert kept.read_text() == "kept"
