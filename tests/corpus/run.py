"""The corpus: real applications are recorded, and every recording is replayed cold.

scripts/corpus [APP...] [--secrets HOW] [--keep] [--write] [--json FILE] [--cache DIR] [--jobs N]
"""

from __future__ import annotations

import argparse
import concurrent.futures
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.corpus.installing import add_package, environment_of
from tests.corpus.recording import SECRETS, record
from tests.corpus.replaying import replay
from tests.corpus.table import Outcome, table, written

if TYPE_CHECKING:
    from tests.corpus.application import Application
    from tests.corpus.recording import Secrets
    from tests.corpus.visitor import Asked

APPS = Path(__file__).parent / "apps"
README = Path(__file__).parent / "README.md"


def main() -> int:
    """Run the applications that are asked for; exit 0 when of each 98 % were identical."""
    known = sorted(path.parent.name for path in APPS.glob("*/drive.py"))
    parser = argparse.ArgumentParser(prog="scripts/corpus", description=__doc__)
    parser.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(known)}")
    parser.add_argument(
        "--secrets",
        action="append",
        choices=SECRETS,
        metavar="HOW",
        help=f"{', '.join(SECRETS)}; more than once for several; by default masked and clear",
    )
    parser.add_argument("--keep", action="store_true", help="keep the recordings")
    parser.add_argument("--write", action="store_true", help=f"put the rows into {README.name}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write each outcome to FILE")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="for the environments")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="replays at once")
    parser.add_argument("--install", action="store_true", help="only make the environments")
    given = parser.parse_args()
    if unknown := sorted(set(given.apps) - set(known)):
        parser.error(f"no such application: {', '.join(unknown)}; there are {', '.join(known)}")
    cache: Path = given.cache or Path(tempfile.gettempdir()) / "retrace-corpus"
    outcomes: list[Outcome] = []
    for name in given.apps or known:
        application: Application = importlib.import_module(f"tests.corpus.apps.{name}.drive").APP
        if given.install:
            print(environment_of(application, cache))
            continue
        for secrets in given.secrets or ("masked", "clear"):
            outcome = _run(application, secrets, cache, keep=given.keep, jobs=given.jobs)
            outcomes.append(outcome)
            if given.json is not None:
                document = [asdict(one) for one in outcomes]
                given.json.write_text(json.dumps(document, indent=1), encoding="utf-8")
    if outcomes:
        print(f"\n{table(outcomes)}")
    if outcomes and given.write:
        README.write_text(written(README.read_text(encoding="utf-8"), outcomes), encoding="utf-8")
    return 0 if all(outcome.is_enough for outcome in outcomes) else 1


def _run(
    application: Application, secrets: Secrets, cache: Path, *, keep: bool, jobs: int
) -> Outcome:
    begun = time.monotonic()
    outcome = Outcome(
        name=application.name,
        framework=application.framework,
        uses=application.uses,
        packages=application.packages,
        secrets=secrets,
    )
    folder = Path(tempfile.mkdtemp(prefix=f"corpus-{application.name}-recordings-"))
    recordings = folder / "recordings"
    try:
        _say(f"{application.name}: installing")
        python = environment_of(application, cache)
        settings = dict(SECRETS[secrets])
        identity = None
        if secrets == "sealed":
            settings["RETRACE_SEAL_TO"], identity = _keys(python, folder)
        said = 0

        def progress(asked: Asked) -> None:
            nonlocal said
            said += 1
            _say(f"{application.name}: {said} requests; {asked.method} {asked.path}")

        requests = record(application, python, recordings, progress, settings=settings)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            running = [
                pool.submit(replay, asked, recordings, python, identity=identity)
                for asked in requests
            ]
            for done in running:
                outcome.replayed.append(done.result())
                good = sum(one.identical for one in outcome.replayed)
                _say(
                    f"{application.name}: {len(outcome.replayed)} of {len(requests)} replayed,"
                    f" {good} identical"
                )
    except Exception as error:  # one application must not end the others' run
        notes = getattr(error, "__notes__", ())
        outcome.failed = "\n".join([f"{type(error).__name__}: {error}", *notes])
    finally:
        if keep:
            print(f"\r\033[K{application.name}: recordings kept in {recordings}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\r\033[K{outcome.line()}, {time.monotonic() - begun:.0f} s")
    for cause in outcome.causes():
        print(f"  {cause}")
    if outcome.failed:
        print(outcome.failed)
    return outcome


def _keys(python: Path, folder: Path) -> tuple[str, Path]:
    """Return a new public key, and the file of its private one; pyrage is installed for it."""
    add_package(python, "pyrage")
    identity = folder / "key.txt"
    command = [str(python), "-m", "retrace_core.cli", "keygen", str(identity)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said.split()[-1], identity


def _say(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text[:100]}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
