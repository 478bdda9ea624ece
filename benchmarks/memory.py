"""Memory over 100,000 recorded requests: resident size of the process, every tenth of the way.

`python -m benchmarks.memory [--requests N]` prints a line for each tenth, and the growth from
the second tenth to the last: the first one fills caches.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from pathlib import Path

from benchmarks.requests import call_asgi, call_wsgi
from benchmarks.rounds import option
from benchmarks.unlimited import UNLIMITED
from tests.http_origin import origin


def resident_kb() -> int:
    """Return the resident size of this process, in KiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


class Nowhere:
    """A store that keeps nothing, so that no disk fills."""

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Forget it."""
        return ""


def main() -> None:
    """Print the table."""
    count = option("--requests", 100_000)
    with tempfile.TemporaryDirectory() as name, origin() as (url, _):
        os.environ |= UNLIMITED
        os.environ |= {"RETRACE": "1", "RETRACE_SAMPLE_RATE": "1", "BENCH_URL": url}
        os.environ |= UNLIMITED
        os.environ |= {"BENCH_DB": f"{name}/shop.db", "RETRACE_RECORDING_PATH": f"{name}/r"}
        from benchmarks import shop
        from retrace_core import stats, writer
        from retrace_mw import RetraceMiddleware

        asgi = RetraceMiddleware(shop.make_asgi(), service="shop")
        wsgi = RetraceMiddleware(shop.make_wsgi(), service="shop")
        assert writer._writer is not None
        writer._writer.store = Nowhere()  # type: ignore[assignment]
        runner = asyncio.Runner()

        async def many(n: int) -> None:
            for number in range(n):
                await call_asgi(asgi, "/checkout" if number % 20 == 0 else "/empty")

        sizes: list[int] = []
        for tenth in range(10):
            runner.run(many(count // 20))
            for number in range(count // 20):
                call_wsgi(wsgi, "/checkout" if number % 20 == 0 else "/empty")
            writer.flush(30)
            gc.collect()
            sizes.append(resident_kb())
            print(f"{(tenth + 1) * count // 10:8} requests: {sizes[-1]:8} KiB", flush=True)
        grown = sizes[-1] - sizes[1]
        print(f"grown by {grown} KiB over the last {count * 8 // 10} requests")
        dropped = {name: n for name, n in stats().items() if name.startswith("dropped")}
        print(f"recorded {stats()['recorded']}, written {stats()['written']}, dropped {dropped}")


if __name__ == "__main__":
    main()
