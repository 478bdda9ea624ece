"""The catalog of a million recordings: how long each search takes, filling it, pruning it.

python -m benchmarks.catalog [--rows 1000000] [--files 20000] [--prune 100000]
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.catalog import Catalog, Entry, Search, page, rebuild, update
from retrace_core.catalog.scan import scan
from retrace_core.retention import Marks, Policy, choose, delete_all, mark
from retrace_core.store import DirectoryStore
from retrace_core.trace_file import dump
from tests.trace_file.test_trace_file import draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAY_NS = 86400 * 10**9
SERVICES = [f"service-{n}" for n in range(20)]
ROUTES = [f"/{noun}/{{id}}" for noun in ("orders", "users", "carts", "items", "pay")]
ROUTES += [f"/internal/route-{n}" for n in range(195)]
ERRORS = ["builtins.KeyError", "builtins.ValueError", "app.OutOfStock", "sqlalchemy.exc.DBAPIError"]
ROUNDS = 60


def entries(rows: int, now_ns: int, draw: random.Random) -> Iterator[Entry]:
    """Yield synthetic recordings of thirty days: few services and routes have most of them."""
    for number in range(rows):
        failed = draw.random() < 0.03
        status = 500 if failed else draw.choices((200, 201, 302, 404), (80, 10, 5, 5))[0]
        service = SERVICES[min(int(draw.expovariate(0.3)), 19)]
        route = ROUTES[min(int(draw.expovariate(0.05)), 199)]
        trace = f"{draw.getrandbits(128):032x}"
        started_ns = now_ns - int(30 * DAY_NS * (1 - number / rows))
        yield Entry(
            path=f"{trace}/{service}/trace.bin",
            folder=trace,
            service=service,
            size_bytes=int(draw.lognormvariate(8.3, 1)),
            modified_ns=started_ns + 10**9,
            trace_id=trace,
            span_id=f"{draw.getrandbits(64):016x}",
            route=route,
            error=draw.choices(ERRORS, (50, 40, 9, 1))[0] if failed else "",
            verdict="tail" if failed else "yes",
            decider="KeepIfFailed" if failed else "SampleRate",
            method="GET",
            request_path=route.replace("{id}", str(draw.randrange(1_000_000))),
            status=status,
            failed=failed,
            started_ns=started_ns,
            duration_ns=int(draw.lognormvariate(17.5, 1.2)),
            tags={"user": str(draw.randrange(50_000)), "tenant": f"t{int(draw.expovariate(0.2))}"},
        )


def searches(now_ns: int, draw: random.Random) -> dict[str, Callable[[], Search]]:
    """Return what is asked for: a name, and a function that draws one such search."""
    service = lambda: SERVICES[min(int(draw.expovariate(0.3)), 19)]  # noqa: E731
    route = lambda: ROUTES[min(int(draw.expovariate(0.05)), 199)]  # noqa: E731
    since = lambda: now_ns - int(draw.random() * 30 * DAY_NS)  # noqa: E731
    return {
        "the newest": lambda: Search(),
        "since": lambda: Search(since_ns=since()),
        "until, of a service": lambda: Search(until_ns=since(), service=service()),
        "service": lambda: Search(service=service()),
        "route": lambda: Search(route=route()),
        "route by pattern": lambda: Search(route=f"/internal/route-{draw.randrange(20)}*"),
        "status 5xx": lambda: Search(status="5xx", until_ns=since()),
        "status 404 of a route": lambda: Search(status="404", route=route()),
        "exception": lambda: Search(error=draw.choice(ERRORS).rpartition(".")[2]),
        "exception of a service": lambda: Search(error="KeyError", service=service()),
        "slower than 1 s": lambda: Search(slower_ns=10**9),
        "slow and failed, of a route": lambda: Search(
            slower_ns=300_000_000, status="5xx", route=route()
        ),
        "user": lambda: Search(tags=(("user", str(draw.randrange(50_000))),)),
        "tenant": lambda: Search(tags=(("tenant", f"t{int(draw.expovariate(0.2))}"),)),
        "tenant, failed, of a service": lambda: Search(
            tags=(("tenant", f"t{int(draw.expovariate(0.2))}"),), status="error", service=service()
        ),
        "user that nobody is": lambda: Search(tags=(("user", "nobody"),)),
        "decision": lambda: Search(decision="KeepIfFailed", until_ns=since()),
        "path": lambda: Search(path=f"/orders/{draw.randrange(1_000_000)}"),
        "path by pattern": lambda: Search(path=f"/users/{draw.randrange(10, 100)}*"),
        "path by a broad pattern": lambda: Search(path="/orders/*", service=service()),
        "beginning of a trace id": lambda: Search(trace=f"{draw.getrandbits(24):06x}"),
        "large": lambda: Search(larger_bytes=draw.choice((10_000, 50_000, 200_000))),
        "all at once": lambda: Search(
            service=service(),
            route=route(),
            status="5xx",
            error="KeyError",
            slower_ns=100_000_000,
            since_ns=since(),
        ),
    }


def percentile(values: list[float], share: float) -> float:
    """Return the value that so much of all is at most."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def time_searches(catalog: Catalog, now_ns: int, draw: random.Random) -> None:
    """Print how long each kind of search takes, a page of 50, and the page after it."""
    print(f"{'search':32}{'median':>9}{'p95':>9}{'most':>9}   found")
    worst = 0.0
    for name, make in searches(now_ns, draw).items():
        took: list[float] = []
        found = 0
        for _ in range(ROUNDS):
            search, after = make(), ""
            for _ in range(2):
                begun = time.perf_counter()
                got = page(catalog, search, limit=50, after=after)
                took.append((time.perf_counter() - begun) * 1e3)
                found += len(got)
                if len(got) < 50:
                    break
                after = got[-1].cursor
        p95 = percentile(took, 0.95)
        worst = max(worst, p95)
        print(
            f"{name:32}{percentile(took, 0.5):6.1f} ms{p95:6.1f} ms{max(took):6.1f} ms"
            f"{found / len(took):8.1f}"
        )
    print(f"the worst 95th percentile: {worst:.1f} ms (aim: 50 ms)")


def time_rebuild(folder: Path, files: int) -> None:
    """Print how fast a catalog is made from real files."""
    store = DirectoryStore(folder / "recordings")
    data = dump(draft())
    for begin in range(0, files, 500):
        store.put_all(
            [
                (f"{number:032x}", "shop", f"{number:016x}", data)
                for number in range(begin, min(begin + 500, files))
            ]
        )
    catalog = Catalog(store)
    begun = time.perf_counter()
    done = rebuild(store, catalog)
    took = time.perf_counter() - begun
    catalog.close()
    print(f"rebuild: {done.added} files in {took:.1f} s, {done.added / took:,.0f} a second")


def time_prune(folder: Path, files: int) -> None:
    """Print how long it takes to delete all of so many real files, each with a receipt."""
    store = DirectoryStore(folder / "pruned")
    data = dump(draft())
    for begin in range(0, files, 500):
        store.put_all(
            [
                (f"{number:032x}", "shop", f"{number:016x}", data)
                for number in range(begin, min(begin + 500, files))
            ]
        )
    stays = store.put("f" * 32, "shop", "f" * 16, data)
    mark(store, stays)
    catalog = Catalog(store)
    rebuild(store, catalog)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    update(store, catalog, full=True)
    marks = Marks(store, time.time_ns())
    policy = Policy(age_ns=1)
    gone = choose(scan(catalog), policy, now_ns=time.time_ns(), is_kept=marks.is_kept)
    done = delete_all(store, gone, by="benchmark", host="here", catalog=catalog)
    took, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    assert [one.path for one in store.list()] == [stays]
    print(
        f"prune: {done.outcomes['deleted']:,} files in {took:.1f} s, {cpu:.1f} s of CPU"
        " (aim for 100,000: 60 s)"
    )
    catalog.close()


def time_choosing(catalog: Catalog, most: int) -> None:
    """Print how long it takes to choose what goes of all rows, and to take rows out."""
    begun = time.perf_counter()
    total = len(catalog)
    policy = Policy(bytes=int(catalog.total_bytes() * (1 - most / total)))
    gone = choose(scan(catalog), policy, now_ns=time.time_ns(), is_kept=lambda _: False)
    chosen = time.perf_counter()
    paths = [one.path for one in gone]
    for begin in range(0, len(paths), 500):
        catalog.remove(paths[begin : begin + 500])
    print(
        f"choosing {len(gone):,} of {total:,}: {chosen - begun:.1f} s; taking their rows out:"
        f" {time.perf_counter() - chosen:.1f} s"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--prune", type=int, default=100_000)
    parser.add_argument("--database", default="", help="default: SQLite in a temporary folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="catalog-"))
    draw, now_ns = random.Random(7), time.time_ns()
    try:
        time_rebuild(folder, given.files)
        time_prune(folder, given.prune)
        if not given.rows:
            return
        catalog = Catalog(DirectoryStore(folder / "synthetic"), given.database)
        catalog.clear()
        begun, batch = time.perf_counter(), list[Entry]()
        for entry in entries(given.rows, now_ns, draw):
            batch.append(entry)
            if len(batch) == 1000:
                catalog.add(batch)
                batch = []
        catalog.add(batch)
        catalog.filled(listed_ns=0, took_ns=0)
        took = time.perf_counter() - begun
        print(f"rows: {given.rows:,} put in {took:.0f} s, {given.rows / took:,.0f} a second")
        time_searches(catalog, now_ns, draw)
        time_choosing(catalog, given.prune)
        catalog.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
