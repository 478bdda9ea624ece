"""Flight recorder: what was dropped stays in memory a while, and an alert's webhook saves it.

`python examples/deciding_flight_recorder.py` serves a few requests in process.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import httpx
from fastapi import FastAPI

from retrace_core import load, writer
from retrace_mw import RetraceMiddleware, flight_recorder_endpoint, save_recent
from retrace_mw.deciders import KeepIfFailed

SECRET = "from your secret store, not from here"

app = FastAPI(title="pricing")
app.mount("/retrace", flight_recorder_endpoint(SECRET).asgi)


@app.get("/price/{item}")
async def price(item: str) -> dict[str, int]:
    """Return a price that turns out to be wrong, which no status tells."""
    return {item: -4990}


async def run(recordings: str) -> None:
    """Serve requests; then somebody notices, and an alert fires."""
    wrapped = RetraceMiddleware(
        app,
        service="pricing",
        enabled=True,
        recording_path=recordings,
        decide=KeepIfFailed(),
        flight_recorder_bytes=16 << 20,
        flight_recorder_s=60.0,
    )
    transport = httpx.ASGITransport(wrapped)
    async with httpx.AsyncClient(transport=transport, base_url="http://pricing") as client:
        for item in ("lamp", "chair", "kettle"):
            await client.get(f"/price/{item}", headers={"X-Trace-ID": f"order-{item}"})
        writer.flush()
        print("after three requests on disk:", os.listdir(recordings))

        print("saved for one trace:", save_recent("support asked", trace_id="order-lamp"))

        forbidden = await client.post("/retrace/?reason=alert", headers={"X-Retrace-Secret": "?"})
        print("a webhook without the secret:", forbidden.status_code)
        answer = await client.post(
            "/retrace/?reason=negative+prices&last_s=30", headers={"X-Retrace-Secret": SECRET}
        )
        print("the alert's webhook:", answer.json())


def main() -> None:
    """Run, and list what was saved and why."""
    import asyncio

    with tempfile.TemporaryDirectory() as recordings:
        asyncio.run(run(recordings))
        writer.flush()
        for path in sorted(Path(recordings).glob("*/*/trace.bin")):
            header = load(path).header
            print(f"  {path.parts[-3]} {header.path}: {header.decision.reason}")
        assert len(list(Path(recordings).glob("*/*/trace.bin"))) == 3


if __name__ == "__main__":
    main()
