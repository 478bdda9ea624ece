"""Deciding by a flag from a file, for those without a flag service; changed while it runs.

python examples/deciding_by_flag_file.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from retrace_core import load, writer
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import FileFlag

FLAGS = """
[flags.record-request]
variation = "off"
targets = { full = ["alice"] }

[[flags.record-request.rules]]
when = { tenant = ["acme", "globex"] }
rollout = 50                            # percent of the users of these tenants
variation = { verdict = "full", rate = 1.0 }
"""


def shop(environ: Any, start_response: Any) -> list[bytes]:
    """Answer."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def main() -> None:
    """Write the flags, send requests, switch the flag off, and print who was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "flags.toml")
        file.write_text(FLAGS)
        decide = FileFlag(
            "record-request", path=file, context="header:x-user, header:x-tenant as tenant"
        )
        recordings = Path(folder, "recordings")
        app = RetraceMiddleware(
            shop, decide=decide, service="shop", enabled=True, recording_path=recordings
        )
        browser = Client(app)
        for number in range(20):
            headers = {"X-User": f"user-{number}", "X-Tenant": "acme"}
            browser.get("/", headers=headers, buffered=True)
        browser.get("/", headers={"X-User": "alice"}, buffered=True)
        writer.flush()
        recorded = [load(one) for one in recordings.glob("*/*/trace.bin")]
        users = sorted(dict(one.request.headers)["X-User"] for one in recorded)
        print("recorded:", ", ".join(users))
        assert "alice" in users
        assert 2 <= len(users) <= 20

        file.write_text('[flags.record-request]\nenabled = false\nvariation = "off"\n')
        time.sleep(1.1)  # a change counts within a second
        browser.get("/", headers={"X-User": "alice"}, buffered=True)
        writer.flush()
        assert len(list(recordings.glob("*/*/trace.bin"))) == len(users)
        print("switched off: alice is not recorded any more")


if __name__ == "__main__":
    main()
