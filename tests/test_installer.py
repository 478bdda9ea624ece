"""The installer: boundaries go in place while other threads import their libraries."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from retrace_core import installer

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = """
import slow_gate
slow_gate.begun.set()
assert slow_gate.may_end.wait(30)
"""
GATE = "import threading\nbegun, may_end = threading.Event(), threading.Event()\n"
BOUNDARY = """
import slow_library
from retrace_core.boundary import Boundary
BOUNDARY = Boundary(kind="slow", supports="slow_library")
"""


@pytest.fixture
def slow_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a library whose import takes as long as `slow_gate` says."""
    for name, source in (
        ("slow_library", LIBRARY),
        ("slow_gate", GATE),
        ("slow_boundary", BOUNDARY),
    ):
        tmp_path.joinpath(f"{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "slow_library"


def test_a_library_that_another_thread_imports_is_left_to_it(slow_library: str) -> None:
    """Each would wait for the other's import: Python ends that with an error in one of them."""
    installer.install(only=())
    installer._register(slow_library, "slow_boundary")
    gate = importlib.import_module("slow_gate")
    importing = threading.Thread(target=importlib.import_module, args=(slow_library,))
    importing.start()
    assert gate.begun.wait(30)
    again = threading.Thread(target=installer._register, args=(slow_library, "slow_boundary"))
    again.start()
    again.join(5)
    has_waited = again.is_alive()
    gate.may_end.set()
    importing.join(30)
    again.join(30)
    assert not has_waited
    assert slow_library in installer.installed()
    assert slow_library not in installer.failures()


def test_a_library_may_have_a_boundary_beside_those_of_its_modules() -> None:
    """It is in the `__init__` of their folder; one that declares none is no boundary."""
    found = installer.available()
    assert found["logging"] == "retrace_core.boundaries.logging"
    assert found["logging.handlers"] == "retrace_core.boundaries.logging.handlers"
    assert "pyarrow" not in found


def test_what_stands_in_the_place_of_a_library_may_need_no_boundary(
    slow_library: str, tmp_path: Path
) -> None:
    """It is neither in place nor a failure: another boundary stands below it."""
    tmp_path.joinpath("slow_boundary.py").write_text("\nBOUNDARY = None\n")
    importlib.import_module("slow_gate").may_end.set()
    importlib.import_module(slow_library)
    installer.install(only=())
    installer._register(slow_library, "slow_boundary")
    assert slow_library in installer.needless()
    assert slow_library not in (*installer.installed(), *installer.failures())
