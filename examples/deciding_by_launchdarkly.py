"""Deciding by a LaunchDarkly flag: two users are recorded, one of them when it fails.

    python examples/deciding_by_launchdarkly.py

It runs without a network: the flags come from the SDK's test data source. In production the
application calls `ldclient.set_config(Config(sdk_key))` as ever, and leaves out `client`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ldclient import Config, LDClient
from ldclient.integrations.test_data import TestData
from werkzeug.test import Client

from retrace_core import load, writer
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import LaunchDarklyFlag


def shop(environ: Any, start_response: Any) -> list[bytes]:
    """Answer; the cart is broken."""
    broken = environ["PATH_INFO"] == "/cart"
    start_response("500 Broken" if broken else "200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def main() -> None:
    """Set the flag up, send requests, and print what was recorded and why."""
    flags = TestData.data_source()
    flags.update(
        flags.flag("record-request")
        .variations("off", "tail", {"rate": 1.0, "per_s": 5})
        .variation_for_user("alice", 2)  # all of alice's requests, five a second at most
        .variation_for_key("tenant", "acme", 1)  # what fails for the tenant acme
        .fallthrough_variation(0)
    )
    config = Config("sdk-key", update_processor_class=flags, send_events=False)
    with LDClient(config) as client, tempfile.TemporaryDirectory() as folder:
        decide = LaunchDarklyFlag(
            "record-request", context="header:x-user, header:x-tenant as tenant", client=client
        )
        app = RetraceMiddleware(
            shop, decide=decide, service="shop", enabled=True, recording_path=folder
        )
        browser = Client(app)
        for user, tenant, path in (
            ("alice", "globex", "/"),
            ("bob", "acme", "/"),
            ("bob", "acme", "/cart"),
            ("carol", "globex", "/cart"),
        ):
            browser.get(path, headers={"X-User": user, "X-Tenant": tenant}, buffered=True)
        writer.flush()
        recorded = [load(file) for file in Path(folder).glob("*/*/trace.bin")]
        for one in sorted(recorded, key=lambda one: one.header.started_ns):
            print(f"{one.header.path} {one.header.status}: {one.header.decision.reason}")
        assert [one.header.path for one in recorded].count("/cart") == 1
        assert len(recorded) == 2


if __name__ == "__main__":
    main()
