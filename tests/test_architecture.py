"""The shape of the tree: sizes, names, docstrings, and imports that go one way."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("retrace_core", "retrace_mw")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
NAMES = [str(file.relative_to(ROOT)) for file in MODULES]
MOST_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base_classes"}

# One import that breaks each contract of .importlinter: file it is put into, and the line.
BREACHES = {
    "the core knows nothing of the middleware, nor of a web framework": (
        "retrace_core/ids.py",
        "import retrace_mw",
    ),
    "the way of a request, top to bottom": (
        "retrace_core/lanes.py",
        "import retrace_core.writer",
    ),
    "no boundary knows another": (
        "retrace_core/boundaries/grp.py",
        "import retrace_core.boundaries.sqlite3",
    ),
    "nobody but the installer (by path, at run time) imports a boundary": (
        "retrace_core/scope.py",
        "import retrace_core.boundaries.sqlite3",
    ),
    "middleware layers": (
        "retrace_mw/decision.py",
        "import retrace_mw.opening",
    ),
    "one decider knows no other": (
        "retrace_mw/deciders/header.py",
        "import retrace_mw.deciders.sampling",
    ),
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of a copy of the tree."""
    command = Path(sys.executable).with_name("lint-imports")
    if not command.exists():
        pytest.skip("import-linter is in the group `lint`")
    return subprocess.run(
        [command, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the packages and their contracts."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_a_module_is_small_and_says_what_it_is(module: Path) -> None:
    """One thing each: few lines, a telling name, and a docstring."""
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    # A boundary's file has the name of the library's module.
    assert "boundaries" in module.parts or module.stem not in VAGUE
    assert ast.get_docstring(ast.parse(text)), "no docstring"


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_what_a_module_exports_is_documented(module: Path) -> None:
    """Every function and class that `__all__` names has a docstring."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    exported: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            exported = set(ast.literal_eval(node.value))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            overloads = any(ast.unparse(one) == "overload" for one in node.decorator_list)
            if node.name in exported and not overloads:
                assert ast.get_docstring(node), node.name


def test_every_boundary_is_one_file_that_declares_one(tree: Path) -> None:
    """A boundary's file has a BOUNDARY, and its docstring says what it hooks."""
    for file in sorted((tree / "retrace_core/boundaries").rglob("*.py")):
        if file.name == "__init__.py":
            continue
        parsed = ast.parse(file.read_text(encoding="utf-8"))
        names = {ast.unparse(n.targets[0]) for n in parsed.body if isinstance(n, ast.Assign)}
        assert "BOUNDARY" in names, file
        assert "ook" in (ast.get_docstring(parsed) or ""), file


def mapped(text: str) -> list[str]:
    """Return the files and folders that a package's map names."""
    return re.findall(
        r"^ *(\w+(?:\.py|/)) +\S", ast.get_docstring(ast.parse(text)) or "", re.MULTILINE
    )


def there(package: Path) -> list[str]:
    """Return the files and folders of a package that have code in them."""
    files = [file.name for file in package.glob("*.py") if file.name != "__init__.py"]
    folders = [f"{one.name}/" for one in package.iterdir() if any(one.glob("*.[ch]"))]
    folders += [f"{init.parent.name}/" for init in package.glob("*/__init__.py")]
    return sorted(files + folders)


def has_map(init: Path) -> bool:
    """Return True for a package that is no front door alone, nor named after a library's."""
    return "boundaries" not in init.parts and bool(mapped(init.read_text(encoding="utf-8")))


MAPS = [file for file in MODULES if file.name == "__init__.py" and has_map(file)]


@pytest.mark.parametrize("init", MAPS, ids=[str(one.parent.relative_to(ROOT)) for one in MAPS])
def test_the_map_names_every_file(init: Path) -> None:
    """The docstring of a package leads through it, in the order of a request."""
    assert sorted(mapped(init.read_text(encoding="utf-8"))) == there(init.parent)


def test_a_file_that_the_map_lacks_is_found(tree: Path) -> None:
    """The map test would fail for a new file."""
    (tree / "retrace_mw" / "lonely.py").write_text('"""Alone."""\n')
    text = (tree / "retrace_mw" / "__init__.py").read_text(encoding="utf-8")
    assert set(there(tree / "retrace_mw")) - set(mapped(text)) == {"lonely.py"}


def test_imports_go_one_way(tree: Path) -> None:
    """The contracts of .importlinter hold."""
    done = lint_imports(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("contract", BREACHES)
def test_each_contract_can_be_broken(tree: Path, contract: str) -> None:
    """A contract that nothing could break would guard nothing."""
    name, line = BREACHES[contract]
    file = tree / name
    text = file.read_text(encoding="utf-8")
    mark = "from __future__ import annotations\n"
    assert mark in text
    file.write_text(text.replace(mark, f"{mark}{line}\n", 1), encoding="utf-8")
    done = lint_imports(tree)
    assert done.returncode != 0
    assert f"{contract} BROKEN" in done.stdout.replace("\n", " ")


def test_replay_is_a_function_whichever_part_of_it_was_imported_first() -> None:
    """The package has the function's name, and Python puts it there."""
    code = (
        "import retrace_core.replay.masks; from retrace_core import replay; print(callable(replay))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
