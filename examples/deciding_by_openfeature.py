"""Deciding by an OpenFeature flag, whoever its provider is, in an ASGI application.

    python examples/deciding_by_openfeature.py

Needs `pip install retrace-mw[openfeature]`. Here the flags are in memory; with another provider
nothing changes but the one line that sets it. A provider that asks a service for each flag
(OFREP, flagd's RPC mode) takes `remote=True`: it gets 0.1 s, then the default counts.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from openfeature import api
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from retrace_core import load, writer
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import OpenFeatureFlag

if TYPE_CHECKING:
    from openfeature.evaluation_context import EvaluationContext


async def shop(scope: Any, receive: Any, send: Any) -> None:
    """Answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


def by_plan(flag: InMemoryFlag[str], context: EvaluationContext) -> FlagResolutionDetails[str]:
    """Record the gold plan."""
    variant = "full" if context.attributes.get("plan") == "gold" else "off"
    return FlagResolutionDetails(flag.variants[variant], variant=variant)


async def request_each(app: Any) -> None:
    """Send a request for each of two users."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as browser:
        for user, plan in (("alice", "gold"), ("bob", "free")):
            await browser.get("/", headers={"X-User": user, "X-Plan": plan})


def main() -> None:
    """Set the provider, send requests, and print what was recorded and why."""
    flag = InMemoryFlag("off", {"off": "off", "full": "full"}, context_evaluator=by_plan)
    api.set_provider_and_wait(InMemoryProvider({"record-request": flag}))
    decide = OpenFeatureFlag("record-request", context="header:x-user plan=x-plan")
    with tempfile.TemporaryDirectory() as folder:
        app = RetraceMiddleware(
            shop, decide=decide, service="shop", enabled=True, recording_path=folder
        )
        asyncio.run(request_each(app))
        writer.flush()
        recorded = [load(file) for file in Path(folder).glob("*/*/trace.bin")]
        for one in recorded:
            user = dict(one.request.headers)["x-user"]
            print(f"{user}: {one.header.decision.reason}")
        assert len(recorded) == 1


if __name__ == "__main__":
    main()
