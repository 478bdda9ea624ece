"""Each hook finds its place in the installed library, and puts back what it found.

These are the tests that a library's next release fails when it moves what we hook.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import subprocess
import sys
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement

from retrace_core import installer
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from retrace_core.boundary import Boundary

HOMES = installer.available()
configure_django()


def boundary_of(library: str) -> Boundary:
    """Return a library's boundary; skips where the library is not installed."""
    try:
        importlib.import_module(library)
    except ImportError:
        pytest.skip(f"{library} is not installed")
    boundary: Boundary = importlib.import_module(HOMES[library]).BOUNDARY
    return boundary


def attributes(boundary: Boundary) -> list[Any]:
    """Return what the boundary's hooks replace, as it is now."""
    return [vars(hook.owner).get(hook.name, _INHERITED) for hook in boundary.hooks]


_INHERITED = object()


@pytest.mark.parametrize("library", HOMES)
def test_every_hook_finds_its_place(library: str) -> None:
    """The class or module that a hook names has that: a function, a descriptor, or a module.

    Or an object of a class of the library's own, like numpy's hidden generator.
    """
    for hook in boundary_of(library).hooks:
        found = getattr(hook.owner, hook.name)
        known = callable(found) or isinstance(found, ModuleType) or hasattr(found, "__get__")
        assert known or type(found).__module__.startswith(library), hook


@pytest.mark.parametrize("library", HOMES)
def test_removal_restores_every_original(library: str) -> None:
    """Installed, each attribute is ours; removed, it is the very object that was there."""
    boundary = boundary_of(library)
    before = attributes(boundary)
    installer.install([library])
    assert library in installer.installed(), installer.failures()
    for hook, original in zip(boundary.hooks, before, strict=True):
        assert vars(hook.owner)[hook.name] is not original
    installer.uninstall()
    assert all(now is original for now, original in zip(attributes(boundary), before, strict=True))


@pytest.mark.parametrize("library", HOMES)
def test_the_installed_version_is_one_it_was_read_for(library: str) -> None:
    """The version that these tests run against is within what the boundary says it supports."""
    wanted = Requirement(boundary_of(library).supports)
    of_python = wanted.name == "cpython"
    version = platform.python_version() if of_python else metadata.version(wanted.name)
    assert version in wanted.specifier


ALONE = """
import importlib, sys
from retrace_core import installer
installer.install()
importlib.import_module(sys.argv[1])
print(installer.failures())
"""


@pytest.mark.parametrize(
    "library",
    [*(library for library in HOMES if library.startswith("cryptography.")), "apsw", "asyncmy"],
)
def test_any_of_them_may_be_imported_first(library: str) -> None:
    """Modules that import each other do: a boundary must not need what is just being imported.

    Nor what another boundary, which is put in place meanwhile, needs of a file that both share.
    """
    if importlib.util.find_spec(library.split(".")[0]) is None:
        pytest.skip(f"{library} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, library], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{}"


def test_urllib3_before_its_second_version_is_hooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections had no `is_connected`: a pool asked a function whether one was dropped."""
    from urllib3 import connection

    monkeypatch.delattr(connection.HTTPConnection, "is_connected")
    spec = importlib.util.find_spec("retrace_core.boundaries.urllib3")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert all(hasattr(hook.owner, hook.name) for hook in module.BOUNDARY.hooks)
