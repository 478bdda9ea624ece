"""The cost of a tail decision: a provisional recording that is dropped, beside one kept.

`python -m benchmarks.tail [--rounds N] [--requests N] [--shm]` prints, for both protocols, the
CPU time that each outcome adds to a request, all threads and the writer included, as a share
of what a kept recording adds; and what each left on disk. "held" is dropped, with the flight
recorder on. Measured as in benchmarks/requests.py.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.requests import serve
from benchmarks.rounds import measure
from tests.http_origin import origin

VARIANTS = ("bare", "not recorded", "dropped", "held", "kept")


def make(kind: str, variant: str) -> Any:
    """Return the application, wrapped as the variant says."""
    os.environ["RETRACE"] = "0" if variant == "bare" else "1"
    os.environ["RETRACE_FLIGHT_RECORDER_BYTES"] = str(64 << 20) if variant == "held" else "0"
    from benchmarks import shop
    from retrace_mw import RetraceMiddleware, any_of
    from retrace_mw.deciders import KeepIf, KeepIfFailed, KeepIfSlower, Never

    app = shop.make_asgi() if kind == "asgi" else shop.make_wsgi()
    if variant == "bare":
        return app
    deciders: dict[str, Any] = {
        "not recorded": Never(),
        "kept": KeepIf(lambda finished: True),
    }
    usual = any_of(KeepIfFailed(), KeepIfSlower(60))
    return RetraceMiddleware(app, service="shop", decide=deciders.get(variant, usual))


def main() -> None:
    """Print the table."""
    if "--serve" in sys.argv:
        serve(*sys.argv[-2:], make)
        return
    base = "/dev/shm" if "--shm" in sys.argv else None
    with tempfile.TemporaryDirectory(dir=base) as name, origin() as (url, _):
        folder = Path(name)
        for kind in ("asgi", "wsgi"):
            found = measure(
                "benchmarks.tail",
                kind,
                VARIANTS,
                folder=folder,
                url=url,
                recordings=functools.partial(Path, folder, "recordings", kind),
            )
            for path, rounds in found.items():
                # Of the least disturbed round each.
                row = {name: min(cpu for cpu, _ in many) for name, many in rounds.items()}
                print(f"\n{kind}, {path}: CPU µs, added, as a share of a kept recording")
                bare, kept = row["bare"], row["kept"] - row["bare"]
                for variant, cpu in row.items():
                    added = cpu - bare
                    print(f"  {variant:12} {cpu:8.1f} {added:+8.1f} {added / kept:6.0%}")
            for variant in VARIANTS[1:]:
                files = list((folder / "recordings" / kind / variant).rglob("*.bin"))
                size = sum(file.stat().st_size for file in files)
                print(f"  {variant:12} left {len(files)} files, {size} bytes")


if __name__ == "__main__":
    main()
