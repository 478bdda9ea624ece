"""Deciding by rules: a TOML file says which requests are recorded, and is read again at once.

`python examples/deciding_by_rules.py` serves a few requests in process and shows what is left.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import flask

from retrace_core import load, writer
from retrace_mw import RetraceMiddleware

RULES = """
[retrace]
enabled = true
sample_rate = 0.0                       # of what no rule matches

[[retrace.rules]]
name = "office"
client = ["10.0.0.0/8", "127.0.0.1"]
headers = { x-debug = "*" }

[[retrace.rules]]
name = "internal"
path = "/internal/*"
action = "skip"

[[retrace.rules]]
name = "orders that fail"
route = "/orders/{number}"
status = ["4xx", "5xx"]

[[retrace.rules]]
name = "payments"
route = "/pay"
methods = "POST"
rate = 0.0
by = "header:x-tenant"
rates = { acme = 1.0 }
"""

app = flask.Flask("storefront")


@app.get("/orders/<int:number>")
def order(number: int) -> tuple[str, int]:
    """Show an order, if there is one."""
    return (f"order {number}", 200) if number < 100 else ("no such order", 404)


@app.post("/pay")
def pay() -> str:
    """Take the money."""
    return "paid"


@app.get("/internal/report")
def report() -> str:
    """Make a report."""
    return "report"


def main() -> None:
    """Serve requests, and list what was recorded and why."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "retrace.toml")
        config.write_text(RULES)
        app.wsgi_app = RetraceMiddleware(  # type: ignore[method-assign]
            app.wsgi_app,
            service="storefront",
            config=str(config),
            recording_path=os.path.join(folder, "recordings"),
        )
        client = app.test_client()
        client.get("/orders/7", buffered=True)
        client.get("/orders/700", buffered=True)
        client.get("/orders/8", headers={"X-Debug": "1"}, buffered=True)
        client.get("/internal/report", buffered=True)
        client.post("/pay", headers={"X-Tenant": "acme"}, buffered=True)
        client.post("/pay", headers={"X-Tenant": "other"}, buffered=True)
        writer.flush()
        found = [load(path).header for path in Path(folder).glob("recordings/*/*/trace.bin")]
        found.sort(key=lambda header: header.started_ns)
        for header in found:
            print(f"{header.method} {header.path}: {header.decision.reason}")
        assert [header.path for header in found] == ["/orders/700", "/orders/8", "/pay"]


if __name__ == "__main__":
    os.environ.pop("RETRACE_CONFIG", None)
    main()
