"""OpenFeature: what the provider answered comes back, with the provider gone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider import ProviderStatus
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from retrace_core import installer, replay
from retrace_core.boundary import replay_began
from retrace_core.flags import evaluations
from tests.flag_servers import OFREP, served
from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.replay_report import replays, run_replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALICE = EvaluationContext("alice", {"plan": "gold"})


def by_user(flag: InMemoryFlag[Any], context: EvaluationContext) -> FlagResolutionDetails[Any]:
    """Serve alice the new checkout."""
    variant = "new" if context.targeting_key == "alice" else "old"
    return FlagResolutionDetails(flag.variants[variant], variant=variant, reason="TARGETING_MATCH")


@pytest.fixture(autouse=True)
def provider() -> Iterator[InMemoryProvider]:
    """Set the SDK's in-memory provider, with flags of every type."""
    flags: dict[str, Any] = {
        "checkout": InMemoryFlag("old", {"old": False, "new": True}, context_evaluator=by_user),
        "theme": InMemoryFlag("dark", {"dark": "dark"}, flag_metadata={"owner": "web"}),
        "limit": InMemoryFlag("a", {"a": 3}),
        "ratio": InMemoryFlag("a", {"a": 0.5}),
        "table": InMemoryFlag("a", {"a": {"rows": [1, 2]}}),
    }
    made = InMemoryProvider(flags)
    api.set_provider_and_wait(made)
    yield made
    api.clear_providers()


def asked(recording: Any) -> list[str]:
    """Return the kinds of the hard events that the request left."""
    return [event.kind for event in recording.lane("0").events if hasattr(event, "key")]


def test_every_evaluation_comes_back(recordings: Path, provider: InMemoryProvider) -> None:
    """Values of each type, details with variant and reason, an error; the flags are gone."""
    client = api.get_client()

    def view() -> dict[str, Any]:
        detail = client.get_string_details("theme", "light", ALICE)
        wrong = client.get_boolean_details("theme", False, ALICE)
        missing = client.get_integer_details("nowhere", 7)
        return {
            "on": client.get_boolean_value("checkout", False, ALICE),
            "limit": client.get_integer_value("limit", 1),
            "ratio": client.get_float_value("ratio", 1.0),
            "table": client.get_object_value("table", {}),
            "detail": [detail.value, detail.variant, detail.reason, dict(detail.flag_metadata)],
            "wrong": [wrong.value, wrong.error_code],
            "missing": [missing.value, missing.error_code, missing.reason],
            "status": client.get_provider_status().value,
        }

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200
    provider._flags.clear()
    assert_identical(recording, app)
    assert asked(recording).count("openfeature.evaluate") == 7
    assert len(asked(recording)) == 8


def test_details_come_back_as_the_sdks_own_types(recordings: Path) -> None:
    """Reason and error code are members of their enumerations again."""
    client = api.get_client()

    def view() -> dict[str, Any]:
        detail = client.get_integer_details("nowhere", 7)
        return {
            "types": [type(detail).__name__, type(detail.reason).__name__],
            "error": type(detail.get_exception()).__name__,
        }

    app, recording = record_wsgi(recordings, view)
    assert b"FlagNotFoundError" in b"".join(recording.response.body)  # type: ignore[union-attr]
    assert_identical(recording, app)


def test_evaluations_of_tasks(recordings: Path, provider: InMemoryProvider) -> None:
    """The async methods, at once in several tasks."""
    import asyncio

    client = api.get_client()

    async def view() -> dict[str, Any]:
        found = await asyncio.gather(
            client.get_boolean_value_async("checkout", False, ALICE),
            client.get_string_value_async("theme", "light"),
            client.get_object_value_async("table", {}),
        )
        return {"found": found}

    app, recording = record_asgi(recordings, view, tasks=3)
    assert b"dark" in b"".join(recording.response.body)  # type: ignore[union-attr]
    provider._flags.clear()
    assert_identical(recording, app)


def test_another_context_is_a_divergence(recordings: Path) -> None:
    """The context of the call counts; what the API holds of the process does not."""
    client, plan = api.get_client(), ["gold"]

    def view() -> dict[str, Any]:
        context = EvaluationContext("alice", {"plan": plan[0]})
        return {"on": client.get_boolean_value("checkout", False, context)}

    app, recording = record_wsgi(recordings, view)
    api.set_evaluation_context(EvaluationContext(attributes={"host": "laptop"}))
    try:
        assert replay(recording, app).identical
    finally:
        api.set_evaluation_context(EvaluationContext())
    plan[0] = "free"
    assert replay(recording, app).divergence is not None


def test_flags_are_listed_and_flipped(recordings: Path) -> None:
    """With the value, the variant and the reason; an integer for a float flag becomes one."""
    client = api.get_client()

    def view() -> dict[str, Any]:
        return {
            "on": client.get_boolean_value("checkout", False, ALICE),
            "ratio": client.get_float_value("ratio", 1.0),
            "missing": client.get_boolean_value("nowhere", True),
        }

    app, recording = record_wsgi(recordings, view)
    found = [(e.name, e.value, e.variation, e.reason) for e in evaluations(recording)]
    assert found == [
        ("checkout", True, "new", "TARGETING_MATCH"),
        ("ratio", 0.5, "a", "STATIC"),
        ("nowhere", True, "", "ERROR FLAG_NOT_FOUND"),
    ]
    result = replay(recording, app, flags={"checkout": False, "ratio": 2})
    assert result.response is not None
    assert b'"on":false,"ratio":2.0' in b"".join(result.response.body)
    assert [one.what for one in result.differences] == ["header content-length", "body"]


def test_a_provider_set_during_replay_is_never_initialised() -> None:
    """It counts as ready, since it is never asked."""

    class Connecting(InMemoryProvider):
        def initialize(self, evaluation_context: EvaluationContext) -> None:
            raise AssertionError("it would reach for its service")

    installer.install(["openfeature.client"])
    replay_began(1)
    try:
        api.set_provider_and_wait(Connecting({}), "remote")
        assert api.get_client("remote").get_provider_status() is ProviderStatus.READY
    finally:
        replay_began(-1)


APP = """
import os
import flask
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import OpenFeatureFlag

api.set_provider_and_wait(OFREPProvider(os.environ.get("FLAGS_URL", "http://127.0.0.1:1")))
app = flask.Flask("shop")

@app.get("/")
def index():
    who = EvaluationContext(flask.request.headers["X-User"])
    return {"checkout": api.get_client().get_string_value("checkout", "default", who)}

flag = OpenFeatureFlag("record", context="header:x-user", remote=True, timeout_s=30)
app.wsgi_app = RetraceMiddleware(app.wsgi_app, decide=flag)

if __name__ == "__main__":
    for user in ("bob", "alice"):
        app.test_client().get("/", headers={"X-User": user}, buffered=True)
"""


def flag(key: str, other: str, default: str) -> dict[str, Any]:
    """Return a flag of the server that serves alice another variant."""
    targeting = {"if": [{"==": [{"var": "targetingKey"}, "alice"]}, other, default]}
    return {
        "key": key,
        "variants": {other: other, default: default},
        "default_variant": default,
        "targeting": targeting,
    }


def test_recorded_with_a_flag_server_replayed_without(recordings: Path, tmp_path: Path) -> None:
    """A server process decides whom to record, and answers the application: only alice is kept."""
    (tmp_path / "shop.py").write_text(APP)
    with served(OFREP, [flag("record", "full", "off"), flag("checkout", "new", "old")]) as url:
        environ = {**os.environ, "FLAGS_URL": url}
        subprocess.run([sys.executable, "shop.py"], cwd=tmp_path, env=environ, check=True)
    (file,) = recordings.glob("*/*/trace.bin")
    replays(file, "--app", "shop:app", cwd=tmp_path)
    flipped = run_replay(file, "--app", "shop:app", "--flag", "checkout=old", cwd=tmp_path)
    assert flipped.returncode == 1
    assert "flag checkout: recorded new, replayed old" in flipped.stdout
