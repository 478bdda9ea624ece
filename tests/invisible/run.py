"""Run the suites of others bare and under Retrace, and compare how each test ended.

    scripts/invisible [PROJECT...]

The source distribution of the version that is installed here is fetched with pip and gets an
environment of its own, in which its tests run twice: bare, and with all boundaries in place and
every application under the middleware, recording everything. Tests that ended otherwise are run
once more, alone, both ways: those that differ by themselves are told from those that we change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.unlimited import UNLIMITED
from tests.invisible.suites import SUITES, Suite

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOME = ROOT / "build" / "invisible"
_LONGEST_S = 3600


@dataclass
class Outcome:
    """How the tests of one run ended."""

    how: dict[str, str]
    """Test -> how its parts ended."""
    stats: dict[str, int] = field(default_factory=dict[str, int])
    """What Retrace counted."""

    def count(self, how: str) -> int:
        """Return how many tests ended so in some part."""
        return sum(how in ended.split() for ended in self.how.values())


@dataclass
class Project:
    """A project with its sources and its environment."""

    name: str
    version: str
    suite: Suite
    sources: Path
    python: Path

    def run(self, report: Path, *, recorded: bool, tests: list[str] | None = None) -> Outcome:
        """Run its tests, or some of them.

        Args:
            report: file for the outcome; what pytest says is put beside it.
            recorded: under Retrace, or bare.
            tests: only these; default all.
        """
        plugins, path = ["invisible_report"], [HERE / "plugin"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RETRACE")}
        environment |= {"INVISIBLE_REPORT": str(report), "PYTHONDONTWRITEBYTECODE": "1"}
        if recorded:
            path.append(HERE / "site")
            plugins += ["invisible_scope"] if self.suite.calls_out else []
            recordings = report.with_suffix(".recordings")
            shutil.rmtree(recordings, ignore_errors=True)
            environment |= UNLIMITED
            environment |= {"RETRACE": "1", "RETRACE_SAMPLE_RATE": "1"}
            environment |= {"RETRACE_RECORDING_PATH": str(recordings)}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
        command = [str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["--continue-on-collection-errors"]
        command += [part for plugin in plugins for part in ("-p", plugin)]
        command += [*self.suite.options, *(tests or ["tests"])]
        report.unlink(missing_ok=True)
        with report.with_suffix(".log").open("w") as log:
            subprocess.run(
                command,
                cwd=self.sources,
                env=environment,
                stdout=log,
                stderr=log,
                timeout=_LONGEST_S,
                check=False,
            )
        if not report.exists():
            raise RuntimeError(f"pytest did not come to its end: see {log.name}")
        lines: list[dict[str, Any]] = [json.loads(one) for one in report.read_text().splitlines()]
        stats = next((line["stats"] for line in lines if "stats" in line), {})
        return Outcome({one["id"]: ", ".join(one["how"]) for one in lines if "id" in one}, stats)


def prepare(name: str) -> Project:
    """Fetch the sources of the installed version, and make an environment for its tests."""
    suite, number = SUITES[name], version(name)
    home = HOME / f"{name}-{number}"
    sources, python = home / "sources", home / "venv" / "bin" / "python"
    project = Project(name, number, suite, sources, python)
    ready = home / "ready"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        fetch = ["download", "--no-deps", "--no-binary", name, "-d", str(home), f"{name}=={number}"]
        _quietly([sys.executable, "-m", "pip", *fetch])
        [archive] = home.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(home / "unpacked", filter="data")
        [unpacked] = (home / "unpacked").iterdir()
        unpacked.rename(sources)
        _quietly([sys.executable, "-m", "venv", str(home / "venv")])
        pip = [str(python), "-m", "pip", "install", "--upgrade"]
        _quietly([*pip, "pip>=25.1"])
        group = ["--group", f"{sources / 'pyproject.toml'}:{suite.group}"] if suite.group else []
        _quietly([*pip, "pytest", *suite.needs, *group, f"{name}=={number}"])
        ready.touch()
    _quietly([str(python), "-m", "pip", "install", "--force-reinstall", "--no-deps", str(_wheel())])
    _quietly([str(python), "-m", "pip", "install", str(_wheel())])
    return project


def _wheel() -> Path:
    """Return a wheel of this checkout, built once in a run."""
    folder = HOME / f"wheel-{os.getpid()}"
    if not folder.exists():
        build = ["wheel", "--no-deps", "-w", str(folder), str(ROOT)]
        _quietly([sys.executable, "-m", "pip", *build])
    [wheel] = folder.glob("*.whl")
    return wheel


def _quietly(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def compare(project: Project) -> list[str]:
    """Run a project's tests both ways, print a row of the table, and return what we changed."""
    home, start = project.sources.parent, time.monotonic()
    bare = project.run(home / "bare.jsonl", recorded=False)
    under = project.run(home / "recorded.jsonl", recorded=True)
    differing = sorted(
        test for test in {*bare.how, *under.how} if bare.how.get(test) != under.how.get(test)
    )
    changed = []
    for test in differing:
        alone = {
            recorded: project.run(
                home / f"alone-{recorded}.jsonl", recorded=recorded, tests=[test]
            ).how.get(test)
            for recorded in (False, True)
        }
        if alone[False] != alone[True]:
            changed.append(f"{test}: bare {alone[False]}, recorded {alone[True]}")
        else:
            print(f"  differs by itself: {test}: {bare.how.get(test)}, {under.how.get(test)}")
    counts = [f"{one.count('passed')}/{one.count('failed')}" for one in (bare, under)]
    faults = sum(many for name, many in under.stats.items() if name.startswith("faults."))
    print(
        f"| {project.name} {project.version} | {len(bare.how)} | {' | '.join(counts)} |"
        f" {len(changed)} | {under.stats.get('written', 0):,} | {faults} |"
        f" {time.monotonic() - start:.0f} |",
        flush=True,
    )
    for line in changed:
        print(f"  {line}")
    return changed


def main(names: list[str]) -> int:
    """Compare the projects of those names, all by default; exit status 0 when none differs."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"no such suite: {', '.join(unknown)}; there are {', '.join(SUITES)}")
        return 2
    print(
        "| project | tests | bare: passed/failed | recorded | changed | recordings | faults | s |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    try:
        return 1 if sum(len(compare(prepare(name))) for name in names or SUITES) else 0
    finally:
        shutil.rmtree(HOME / f"wheel-{os.getpid()}", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
