"""Chaos: writers and shippers are killed, the store goes down and up, clocks step.

Usage: python -m tests.stores.chaos [KILLS]
At the end each recording that was kept is in the store once, or counted as dropped.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.store import open_store
from retrace_core.store.pack import read_index
from retrace_core.store.pack_indexes import PACKS
from retrace_core.store.shipper import Shipper
from retrace_core.store.spool import Spool
from retrace_core.store.spool_budget import dropped_in
from tests.stores.emulators import Emulator, S3Emulator, running
from tests.stores.gate import Gate

if TYPE_CHECKING:
    from retrace_core.store import Store

__all__ = ["Outcome", "chaos", "stored_traces"]


@dataclass
class Outcome:
    """What became of all that was put."""

    kills: int = 0
    outages: int = 0
    begun: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    stored: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    left: int = 0

    def check(self) -> None:
        """Fail unless each is in the store once, or counted as dropped.

        A writer that is killed may have kept recordings that it had not told of: those are
        `begun`, and may be in the store, or among the dropped.
        """
        twice = {trace for trace, count in self.stored.items() if count != 1}
        assert not twice, f"{len(twice)} are there more than once"
        assert self.stored.keys() <= self.begun, "something is there that nobody put"
        assert self.left == 0, f"{self.left} files are left in the spool"
        missing = self.kept - self.stored.keys()
        untold = len(self.begun - self.kept - self.stored.keys())
        assert len(missing) <= self.dropped <= len(missing) + untold, (
            f"{len(missing)} are missing, {self.dropped} were counted as dropped"
        )


def chaos(server: Emulator, folder: Path, kills: int, *, budget: int, seed: int = 0) -> Outcome:
    """Run two writers and three shippers, and kill one of them at random moments.

    Args:
        server: a running S3, whose environment this process has.
        folder: for the spool and the logs.
        kills: how many times.
        budget: of the spool, in bytes.
        seed: of what is left to chance here.
    """
    chance = random.Random(seed)
    spool, url = Spool(str(folder / "spool")), f"s3://recordings/chaos-{folder.name}"
    spool.make()
    gate, outcome = Gate(server.port), Outcome()
    environment = {**os.environ, "AWS_ENDPOINT_URL": gate.endpoint}
    shipper = ["-m", "retrace_core.cli", "ship", "--spool", spool.root, "--to", url]
    writer = ["-m", "tests.stores.chaos_writer", spool.root, str(folder / "log"), str(budget)]
    commands = [writer, writer, *[[*shipper, "--interval", "200ms"]] * 3]
    with (folder / "said").open("ab") as said:

        def start(command: list[str]) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, *command], env=environment, stdout=said, stderr=said
            )

        processes = [start(command) for command in commands]
        try:
            down = False
            while not (folder / "log").exists():
                assert processes[0].poll() is None, (folder / "said").read_text()
                time.sleep(0.05)
            while outcome.kills < kills:
                time.sleep(chance.uniform(0.05, 0.5))
                victim = chance.randrange(len(processes))
                processes[victim].kill()
                processes[victim].wait()
                outcome.kills += 1
                processes[victim] = start(commands[victim])
                if chance.random() < 0.25:
                    down = not down
                    outcome.outages += down
                    gate.shut() if down else gate.open()
        finally:
            for process in processes:
                process.kill()
                process.wait()
            gate.close()
    store = open_store(url)
    while Shipper(spool, store).ship().left:
        pass
    lines = (folder / "log").read_text().splitlines()
    outcome.begun = {line[6:] for line in lines if line.startswith("begun ")}
    outcome.kept = {line[5:] for line in lines if line.startswith("kept ")}
    outcome.stored = stored_traces(store)
    outcome.dropped = dropped_in(spool.root)[0]
    outcome.left = sum(len(spool.list(name)) for name in ("waiting", "claimed", "refused"))
    return outcome


def stored_traces(store: Store) -> Counter[str]:
    """Return how often each trace is there, as object or in a pack; all bytes are compared."""
    found: Counter[str] = Counter()
    for blob in store.blobs.list():
        data = store.blobs.get(blob.key)
        if not blob.key.startswith(PACKS):
            trace = blob.key.partition("/")[0]
            assert data == trace.encode() * 30, blob.key
            found[trace] += 1
            continue
        for entry in read_index(data, len(data), blob.key):
            part = data[entry.start : entry.start + entry.length]
            assert part == entry.folder.encode() * 30, blob.key
            found[entry.folder] += 1
    return found


def main(kills: int = 200) -> None:
    """Run it once, and say what came of it."""
    with running(S3Emulator) as server, tempfile.TemporaryDirectory() as folder:
        server.make_bucket("recordings")
        os.environ.update(server.environment())
        begun = time.monotonic()
        seed = random.randrange(1 << 30)
        print(f"seed {seed}")  # noqa: T201
        outcome = chaos(server, Path(folder), kills, budget=3_000_000, seed=seed)
        outcome.check()
        print(  # noqa: T201
            f"{outcome.kills} kills, {outcome.outages} outages in {time.monotonic() - begun:.0f} s:"
            f" {len(outcome.kept)} kept, {len(outcome.stored)} in the store, each once,"
            f" {outcome.dropped} dropped and counted"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
