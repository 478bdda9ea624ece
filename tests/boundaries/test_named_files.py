"""Files that C code opens by their name: which are recorded, and where they are on replay."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from lxml import etree

from retrace_core import replay
from retrace_core.boundaries.lxml.etree import BOUNDARY
from retrace_core.cli.holes import advice
from retrace_core.files import file_access, named_folders
from retrace_core.files.file_access import in_recorded_folders
from retrace_core.files.named_folders import laid_out
from retrace_core.recording import BY_NAME
from retrace_core.replay.sandbox import closed_world
from tests.recorded import assert_identical, record_wsgi, replays_without

if TYPE_CHECKING:
    from retrace_core import Recording


def kinds(recording: Recording) -> list[tuple[str, Any]]:
    """Return what was asked of files, in order."""
    return [(event.kind, event.key) for event in recording.lanes[0].events]


def test_what_is_read_by_name_is_recorded_as_what_python_opens(
    data: Path, recordings: Path
) -> None:
    """By the name that it has below the working folder, however it was given."""
    (data / "a.xml").write_text("<a/>")

    def view() -> str:
        given = ("data/a.xml", data / "a.xml", b"data/a.xml", "./data/../data/a.xml")
        return str([etree.parse(one).getroot().tag for one in given])

    recording = replays_without(data, recordings, view)
    assert kinds(recording) == [("file.open", ("data/a.xml", BY_NAME))] * 4


def test_each_time_as_it_was_then(data: Path, recordings: Path) -> None:
    """Another writes it meanwhile."""
    (data / "a.xml").write_text("<a/>")

    def view() -> str:
        before = etree.parse("data/a.xml").getroot().tag
        os.system(f"echo '<b/>' > {data}/a.xml")
        return f"{before} {etree.parse('data/a.xml').getroot().tag}"

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"a b"]


def test_nothing_is_written_to_the_world_on_replay(data: Path, recordings: Path) -> None:
    """No audit event would tell of it."""

    def view() -> str:
        etree.ElementTree(etree.XML("<a/>")).write("data/a.xml")
        return str(os.path.getsize("data/a.xml"))

    app, recording = record_wsgi(recordings, view)
    (data / "a.xml").write_text("another's")
    assert_identical(recording, app)
    assert (data / "a.xml").read_text() == "another's"


def test_a_temporary_file_is_where_the_request_made_it(data: Path, recordings: Path) -> None:
    """What it wrote there is read by name, and the other way round."""

    def view() -> str:
        with tempfile.TemporaryDirectory() as folder:
            upload = Path(folder, "upload.xml")
            upload.write_text("<a><b/></a>")
            tree = etree.parse(upload)
            tree.write(os.path.join(folder, "again.xml"))
            return f"{Path(folder, 'again.xml').read_text()} {sorted(os.listdir(folder))}"

    replays_without(data, recordings, view)


def test_what_is_installed_with_a_library_is_none_of_the_worlds(
    data: Path, recordings: Path
) -> None:
    """It is there wherever the code is."""
    (schema,) = Path(etree.__file__).parent.glob("isoschematron/**/iso-schematron.rng")

    def view() -> str:
        return str(etree.parse(schema).getroot().tag)

    assert kinds(replays_without(data, recordings, view)) == []


def test_what_is_too_large_is_said(
    data: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a hole, with its line: of a file that is opened by name, and of one that Python opens."""
    monkeypatch.setattr(file_access, "CONTENT_LIMIT_BYTES", 512 << 10)
    for name in ("a.xml", "b.txt"):
        (data / name).write_text(f"<a>{'x' * (1 << 20)}</a>")

    def view() -> str:
        etree.parse("data/a.xml")
        return (data / "b.txt").read_text()[:3]

    _, recording = record_wsgi(recordings, view)
    assert recording.header.tainted
    holes = [(hole.operation, os.path.basename(hole.target)) for hole in recording.holes]
    assert holes == [("file.too_large", "a.xml"), ("file.too_large", "b.txt")]
    assert "replay has what it begins with" in advice(recording.holes[0])
    assert all(hole.where is not None and hole.where.file == __file__ for hole in recording.holes)


@pytest.mark.parametrize("end", ["as it was", "otherwise"])
def test_what_is_too_large_is_read_where_it_lies_on_the_laptop(
    data: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """As a model that comes with the application, by whatever opens it, if it begins as it did."""
    monkeypatch.setattr(file_access, "CONTENT_LIMIT_BYTES", 512 << 10)
    content = f"<a>{'x' * (1 << 20)}<b/></a>"
    for name in ("a.xml", "b.xml"):
        (data / name).write_text(content)

    def view() -> str:
        tags = [one.tag for one in etree.parse("data/a.xml").iter()]
        return f"{tags} {(data / 'b.xml').read_text()[-8:]}"

    app, recording = record_wsgi(recordings, view)
    if end == "otherwise":
        for name in ("a.xml", "b.xml"):
            (data / name).write_text(content.replace("<a>", "<c>").replace("</a>", "</c>"))
    assert replay(recording, app).identical == (end == "as it was")


def test_a_folder_is_recorded_up_to_the_limit_of_a_file(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is beyond it, only that it is there."""
    monkeypatch.setattr(named_folders, "CONTENT_LIMIT_BYTES", 6)
    for name in ("a", "b", "c"):
        (data / name).write_bytes(b"1234")
    found = [(name, content, cut) for name, content, cut, _ in named_folders.entries_of(str(data))]
    assert found == [("a", b"1234", False), ("b", b"12", True), ("c", b"", True)]


def test_a_strangers_folder_has_no_files_elsewhere(tmp_path: Path) -> None:
    """What a recording says is in one is put nowhere but there."""
    with closed_world(), in_recorded_folders("", ""):
        names = ("../outside", "/tmp/outside-of-all", "in/side")
        folder = laid_out("shop", [(name, b"x", False, 0) for name in names])
        found = [str(path.relative_to(folder)) for path in Path(folder).rglob("*")]
        beside = os.listdir(os.path.dirname(folder))
    assert sorted(found) == ["in", "in/side"]
    assert beside == ["shop"]


def test_who_is_not_recorded_calls_the_function_itself() -> None:
    """With no frame of ours between."""
    frames = []

    class Target:
        def start(self, *_: object) -> None:
            frames.append(sys._getframe(1).f_code.co_name)

        def close(self) -> None:
            pass

    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write("<a/>")
        file.flush()
        etree.parse(file.name, etree.XMLParser(target=Target()))
    assert frames
    assert not any("hooked" in name for name in frames)


def test_an_argument_that_is_no_path_is_left_as_it_is(data: Path, recordings: Path) -> None:
    """An open file, bytes in memory, an address."""
    (data / "a.h5").write_bytes(b"")
    with h5py.File(data / "a.h5", "w") as made:
        made["x"] = [1]

    def view() -> str:
        with open("data/a.h5", "rb") as opened, h5py.File(opened, "r") as file:
            return str(file["x"][:].tolist())

    recording = replays_without(data, recordings, view)
    assert [kind for kind, _ in kinds(recording)].count("file.open") == 1


def test_what_the_installed_version_lacks_is_left_out() -> None:
    """A boundary names functions of several versions."""
    assert all(hasattr(hook.owner, hook.name) for hook in BOUNDARY.hooks)
