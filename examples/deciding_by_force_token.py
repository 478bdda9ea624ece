"""Deciding by force token: support staff has the next request of one customer recorded.

`python examples/deciding_by_force_token.py` mints a token as `retrace token` does, and uses it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import flask

from retrace_core import load, stats, writer
from retrace_mw import RetraceMiddleware

app = flask.Flask("storefront")


@app.get("/basket")
def basket() -> str:
    """Show the basket."""
    return "three apples"


def minted(service: str) -> str:
    """Return what `retrace token --for 10m --service SERVICE` prints."""
    command = [sys.executable, "-m", "retrace_core.cli", "token", "--for", "10m"]
    done = subprocess.run(
        [*command, "--service", service], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def main() -> None:
    """Send a request with a token, with another service's, with a forged one, and with none."""
    os.environ["RETRACE_FORCE_SECRET"] = secrets.token_hex(32)
    with tempfile.TemporaryDirectory() as recordings:
        app.wsgi_app = RetraceMiddleware(  # type: ignore[method-assign]
            app.wsgi_app,
            service="storefront",
            enabled=True,
            recording_path=recordings,
            sample_rate=0.0,
        )
        client = app.test_client()
        good = minted("storefront")
        for token in (good, minted("pricing"), good[:-3] + "AAA", None):
            headers = {} if token is None else {"X-Retrace-Force": token}
            client.get("/basket", headers=headers, buffered=True)
        writer.flush()
        (file,) = Path(recordings).glob("*/*/trace.bin")
        decision = load(file).header.decision
        print(f"one of four is recorded, by {decision.decider}: {decision.reason}")
        counted = {name: n for name, n in stats().items() if name.startswith("suppressed.force_")}
        print(counted)
        assert counted == {"suppressed.force_forged": 1, "suppressed.force_other_service": 1}


if __name__ == "__main__":
    os.environ.pop("RETRACE_CONFIG", None)
    main()
