"""What masking secrets costs: in the writer for each recording, and in a request's latency.

    python -m benchmarks.redaction [--requests N] [--rounds N]

The checkout of `benchmarks.shop` is recorded once; its draft is then encoded as it is, masked,
masked and sealed, masked and encrypted, in turns, so that each meets the same disturbances. So is
a login with a password, a card, a token and a cookie, which has more to mask than most. Requests
are measured in processes that take turns, recorded with and without masking.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.requests import serve
from benchmarks.rounds import measure, option
from retrace_core.encryption import new_key
from retrace_core.recording import Request
from retrace_core.redaction.in_force import encoding
from retrace_core.settings import resolve
from retrace_core.trace_file import pack, unpack
from retrace_core.writer import flush
from tests.http_origin import origin

if TYPE_CHECKING:
    from retrace_core.trace_file import Draft

_BATCH = 16
SECRET = {
    "headers": [
        ("Authorization", "Bearer tok_0f9e8d7c6b5a49382716"),
        ("Cookie", "session=8c6a64ddb70514a8db73464da9c9d411; theme=dark"),
        ("Content-Type", "application/json"),
    ],
    "body": [
        b'{"password": "correct horse", "card_number": "4242 4242 4242 4242", "mail": "ada@x.org"}'
    ],
}


def drafts_of_a_checkout(folder: Path, url: str) -> list[Draft]:
    """Record one checkout, and return its draft, and one with secrets in it."""
    os.environ.update(BENCH_DB=str(folder / "shop.db"), BENCH_URL=url, RETRACE="1")
    os.environ.update(RETRACE_SAMPLE_RATE="1", RETRACE_RECORDING_PATH=str(folder / "r"))
    from benchmarks.shop import make_wsgi
    from retrace_core import writer
    from retrace_mw import RetraceMiddleware

    found: list[Draft] = []
    app = make_wsgi()
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)

    def keep(drafts: list[Draft]) -> list[bytes]:
        found.extend(one for one in drafts if one.header.method != "BOOT")
        return [b"" for _ in drafts]

    assert writer._writer is not None
    writer._writer._encode = keep
    app.test_client().get("/checkout", buffered=True)
    assert flush(10)
    (plain,) = found
    request = plain.request
    fields = {name: getattr(request, name) for name in request.__struct_fields__}
    secret = unpack(pack(plain), plain.header.environment)
    secret.request = Request(**{**fields, **SECRET, "method": "POST"})
    return [plain, secret]


def writer_costs(draft: Draft, rounds: int) -> dict[str, float]:
    """Return what encoding takes per recording, in microseconds, in each way."""
    _, public = new_key()
    ways = {
        "as it is": resolve({"redact": False}),
        "masked": resolve({}),
        "masked and sealed": resolve({"seal_to": public}),
        "masked and encrypted": resolve({"encrypt_to": public}),
    }
    encoders = {name: encoding(settings) for name, settings in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    batch = [draft] * _BATCH
    for number in range(rounds + 1):
        for name, encode in encoders.items():
            begun = time.thread_time_ns()
            encode(batch)
            if number:
                times[name].append((time.thread_time_ns() - begun) / 1000 / _BATCH)
    return {name: statistics.median(found) for name, found in times.items()}


def latency(folder: Path, url: str) -> None:
    """Print what a recorded request takes with masking, as a ratio to one without."""
    for kind in ("wsgi",):
        found = measure(
            "benchmarks.redaction",
            kind,
            ["masked", "plain"],
            folder=folder,
            url=url,
            recordings=lambda variant: folder / variant,
        )
        for path, rounds in found.items():
            ratios = [
                (m[0] / p[0], m[1] / p[1])
                for m, p in zip(rounds["masked"], rounds["plain"], strict=True)
            ]
            cpu, wall = (statistics.median(one) for one in zip(*ratios, strict=True))
            print(f"{kind} {path}: latency {wall:.3f} times, CPU {cpu:.3f} times, of unmasked")


def main() -> None:
    """Measure, and print."""
    if "--serve" in sys.argv:
        kind, variant = sys.argv[-2:]
        os.environ.update(RETRACE="1", RETRACE_SAMPLE_RATE="1", RETRACE_BOOT_TAPE="0")
        os.environ["RETRACE_REDACT"] = "1" if variant == "masked" else "0"
        serve(kind, "100 %")
        return
    with tempfile.TemporaryDirectory() as name, origin() as (url, _):
        folder = Path(name)
        for what, draft in zip(
            ("checkout", "checkout with secrets"), drafts_of_a_checkout(folder, url), strict=True
        ):
            costs = writer_costs(draft, option("--rounds", 9) * 20)
            base = costs["as it is"]
            for way, cost in costs.items():
                print(f"{what}, {way}: {cost:.0f} us in the writer, {cost / base:.2f} times")
        latency(folder, url)


if __name__ == "__main__":
    main()
