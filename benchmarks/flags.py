"""The cost of deciding by a feature flag: each SDK's own evaluation, and what we add to it.

`python -m benchmarks.flags` prints microseconds per decision, measured in turns in one process,
the least of many rounds. LaunchDarkly's SDK has its test data source, OpenFeature's its in-memory
provider, and FileFlag a file of flags; the context is the trace, or a header of the request.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw import RequestView

CALLS, ROUNDS = 200, 200


def request() -> RequestView:
    """Return a fresh request, with a user."""
    from retrace_mw.request import RequestView

    headers = [(b"host", b"shop"), (b"x-user", b"bob"), (b"accept", b"*/*")]
    scope = {"type": "http", "method": "GET", "path": "/orders", "headers": headers}
    return RequestView(scope, True)


def launchdarkly() -> tuple[Callable[[], Any], Any, Any]:
    """Return the SDK's own evaluation, and deciders by trace and by header."""
    from ldclient import Config, Context, LDClient
    from ldclient.integrations.test_data import TestData

    from retrace_mw.deciders import LaunchDarklyFlag

    data = TestData.data_source()
    data.update(data.flag("record").variations("off", "full").fallthrough_variation(0))
    client = LDClient(Config("key", update_processor_class=data, send_events=False))
    return (
        lambda: client.variation_detail("record", Context.create("bob"), None),
        LaunchDarklyFlag("record", client=client),
        LaunchDarklyFlag("record", client=client, context="header:x-user"),
    )


def openfeature() -> tuple[Callable[[], Any], Any, Any]:
    """Return the SDK's own evaluation, and deciders by trace and by header."""
    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

    from retrace_mw.deciders import OpenFeatureFlag

    api.set_provider(InMemoryProvider({"record": InMemoryFlag("off", {"off": "off"})}))
    client = api.get_client()
    return (
        lambda: client.get_string_details("record", "off", EvaluationContext("bob")),
        OpenFeatureFlag("record"),
        OpenFeatureFlag("record", context="header:x-user"),
    )


def flag_file(folder: Path) -> tuple[Callable[[], Any], Any, Any]:
    """Return nothing of anybody's, and deciders by trace and by header."""
    from retrace_mw.deciders import FileFlag

    path = folder / "flags.toml"
    path.write_text('[flags.record]\nvariation = "off"\n')
    return (
        lambda: None,
        FileFlag("record", path=str(path)),
        FileFlag("record", path=str(path), context="header:x-user"),
    )


def took_us(function: Callable[[], Any]) -> float:
    """Return microseconds per call."""
    start = time.thread_time_ns()
    for _ in range(CALLS):
        function()
    return (time.thread_time_ns() - start) / CALLS / 1e3


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        made = {
            "LaunchDarkly": launchdarkly(),
            "OpenFeature": openfeature(),
            "flag file": flag_file(Path(name)),
        }
        print(f"{'µs per decision':16} {'the SDK':>8} {'by trace':>9} {'by header':>10}")
        for kind, (own, by_trace, by_header) in made.items():
            assert by_trace(request()).verdict == by_header(request()).verdict == "no"
            functions = {
                "request": request,
                "own": own,
                "trace": lambda: by_trace(request()),  # noqa: B023  # called in this turn
                "header": lambda: by_header(request()),  # noqa: B023
            }
            best = dict.fromkeys(functions, float("inf"))
            for _ in range(ROUNDS):
                for part, function in functions.items():
                    best[part] = min(best[part], took_us(function))
            trace, header = (best[part] - best["request"] for part in ("trace", "header"))
            print(f"{kind:16} {best['own']:8.2f} {trace:9.2f} {header:10.2f}", flush=True)


if __name__ == "__main__":
    main()
