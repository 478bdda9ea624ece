"""Modules that a request makes, as template engines do, are loaded again without their files."""

from __future__ import annotations

import py_compile
import shutil
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for compiled pages, below the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pages"
    folder.mkdir()
    return folder


def loaded(path: Path) -> str:
    spec = spec_from_file_location("compiled_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.PAGE)


def test_what_a_request_compiled_is_loaded_again(pages: Path, recordings: Path) -> None:
    """As Chameleon does it: write, rename, compile to byte-code, load."""

    def view() -> str:
        written, page = pages / "p.tmp", pages / "p.py"
        written.write_text("PAGE = 'lemons'")
        written.rename(page)
        return f"{py_compile.compile(str(page))} {loaded(page)}"

    app, recording = record_wsgi(recordings, view)
    shutil.rmtree(pages)
    assert_identical(recording, app, times=2)
    assert not pages.exists()


def test_what_an_earlier_process_compiled_is_loaded_again(pages: Path, recordings: Path) -> None:
    page = pages / "p.py"
    page.write_text("PAGE = 'plums'")
    py_compile.compile(str(page))

    app, recording = record_wsgi(recordings, lambda: loaded(page))
    shutil.rmtree(pages)
    assert_identical(recording, app)


def test_what_can_not_be_compiled_fails_again(pages: Path, recordings: Path) -> None:
    page = pages / "p.py"
    page.write_text("PAGE = (")

    def view() -> str:
        with pytest.raises(py_compile.PyCompileError) as caught:
            py_compile.compile(str(page), doraise=True)
        return caught.value.exc_type_name

    app, recording = record_wsgi(recordings, view)
    shutil.rmtree(pages)
    assert_identical(recording, app)


def test_a_module_that_is_there_is_run_as_it_is_now(pages: Path, recordings: Path) -> None:
    """A plugin of the application's: that is what an engineer has mended."""
    plugin = pages / "plugin.py"
    plugin.write_text("PAGE = 'plums'")
    found: list[str] = []

    def view() -> str:
        found.append(loaded(plugin))
        return "done"

    app, recording = record_wsgi(recordings, view)
    plugin.write_text("PAGE = 'mended plums'")
    assert_identical(recording, app)
    assert found[0] == "plums"
    assert set(found[1:]) == {"mended plums"}
