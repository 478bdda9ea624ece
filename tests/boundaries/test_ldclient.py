"""LaunchDarkly: what the SDK answered comes back, with the SDK offline or gone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import flask
import pytest
from ldclient import Config, Context, LDClient
from ldclient.async_client import AsyncLDClient
from ldclient.async_config import AsyncConfig, AsyncDataSystemConfig
from ldclient.hook import Hook, Metadata
from ldclient.integrations import Files
from ldclient.integrations.test_data import TestData
from ldclient.integrations.test_datav2 import TestDataV2
from ldclient.migrations import Stage

from retrace_core import FlagNotAsked, installer, replay
from retrace_core.boundary import mask, replay_began
from retrace_core.flags import evaluations
from tests.flag_servers import LAUNCHDARKLY, launchdarkly_flag, served
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALICE = Context.builder("alice").set("plan", "gold").build()


@pytest.fixture
def data() -> TestData:
    """Return the SDK's test data source with flags of every type."""
    data = TestData.data_source()
    data.update(
        data.flag("checkout").variation_for_user("alice", True).fallthrough_variation(False)
    )
    data.update(data.flag("theme").variations("light", {"name": "dark"}).fallthrough_variation(1))
    data.update(data.flag("move").variations("off", "live").fallthrough_variation(1))
    return data


@pytest.fixture
def client(data: TestData) -> Iterator[LDClient]:
    """Return a client of the test data source."""
    with LDClient(Config("key", update_processor_class=data, send_events=False)) as made:
        yield made


def kinds(recording: Any) -> list[str]:
    """Return the kinds of the events that the request left."""
    return [event.kind for event in recording.lane("0").events if hasattr(event, "key")]


def test_every_evaluation_comes_back(recordings: Path, client: LDClient, data: TestData) -> None:
    """Values, details, a migration's stage, the whole state; after the flags have changed."""

    def view() -> dict[str, Any]:
        detail = client.variation_detail("theme", ALICE, None)
        stage, tracker = client.migration_variation("move", ALICE, Stage.OFF)
        state = client.all_flags_state(ALICE, with_reasons=True)
        return {
            "plain": client.variation("checkout", ALICE, False),
            "missing": client.variation("nowhere", ALICE, "my default"),
            "detail": [detail.value, detail.variation_index, detail.reason],
            "stage": stage.value,
            "tracker": type(tracker).__name__,
            "state": state.to_json_dict(),
            "reason": state.get_flag_reason("checkout"),
            "ready": client.is_initialized(),
            "offline": client.is_offline(),
            "hash": client.secure_mode_hash(ALICE),
        }

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200
    for name in ("checkout", "theme", "move"):
        data.update(data.flag(name).variations("changed").fallthrough_variation(0))
    assert_identical(recording, app)
    assert set(kinds(recording)) == {
        "ldclient.variation_detail",
        "ldclient.migration_variation",
        "ldclient.all_flags_state",
        "ldclient.variation",
        "ldclient.is_initialized",
        "ldclient.is_offline",
        "ldclient.secure_mode_hash",
    }


def test_reason_and_variation_are_kept_of_a_plain_variation_too(
    recordings: Path, client: LDClient
) -> None:
    """What `retrace show` tells of it."""

    def view() -> dict[str, Any]:
        return {"on": [client.variation(name, ALICE, 7) for name in ("checkout", "nowhere")]}

    _, recording = record_wsgi(recordings, view)
    found = [(e.name, e.value, e.variation, e.reason) for e in evaluations(recording)]
    assert found == [
        ("checkout", True, "0", "TARGET_MATCH"),
        ("nowhere", 7, "", "ERROR FLAG_NOT_FOUND"),
    ]


def test_what_happens_inside_an_evaluation_is_silent(recordings: Path, data: TestData) -> None:
    """A hook of the application's that reads the clock and random numbers leaves no event."""

    class Drawing(Hook):
        @property
        def metadata(self) -> Metadata:
            return Metadata("drawing")

        def before_evaluation(self, series_context: Any, data: Any) -> Any:
            import random
            import time

            return {"at": time.time(), "draw": random.random()}

        def after_evaluation(self, series_context: Any, data: Any, detail: Any) -> Any:
            return data

    config = Config("key", update_processor_class=data, send_events=False, hooks=[Drawing()])
    with LDClient(config) as client:
        app, recording = record_wsgi(
            recordings, lambda: {"on": client.variation("checkout", ALICE, False)}
        )
        assert kinds(recording) == ["ldclient.variation"]
        assert_identical(recording, app)


def test_another_context_is_a_divergence(recordings: Path, client: LDClient) -> None:
    """The key holds flag, default and context; the order of attributes does not count."""
    plan = ["gold"]

    def view() -> dict[str, Any]:
        built = Context.builder("bob").set("plan", plan[0]).set("region", "eu").build()
        return {"on": client.variation("checkout", built, False)}

    app, recording = record_wsgi(recordings, view)
    assert replay(recording, app).identical
    plan[0] = "free"
    result = replay(recording, app)
    assert result.divergence is not None
    assert "gold" in result.divergence.summary()
    assert "free" in result.divergence.summary()


def test_the_files_data_source(recordings: Path, tmp_path: Path) -> None:
    """The SDK's own source of flags from files."""
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flagValues": {"limit": 3}}))
    config = Config(
        "key", update_processor_class=Files.new_data_source(paths=[str(file)]), send_events=False
    )
    with LDClient(config) as client:
        app, recording = record_wsgi(
            recordings, lambda: {"limit": client.variation("limit", ALICE, 0)}
        )
    assert b'"limit":3' in b"".join(recording.response.body)  # type: ignore[union-attr]
    assert_identical(recording, app)


def test_the_asyncio_client(recordings: Path) -> None:
    """Its evaluations are events of the task that awaits them."""

    source = TestDataV2.data_source()
    source.update(source.flag("checkout").variation_for_all(True))
    system = AsyncDataSystemConfig(
        initializers=[source.async_builder], synchronizers=[source.async_builder]
    )

    async def view() -> dict[str, Any]:
        with mask():  # as at start-up, outside of any request
            config = AsyncConfig("key", datasystem_config=system, send_events=False)
            client = AsyncLDClient(config)
            await client.start()
        both = await asyncio.gather(
            client.variation("checkout", ALICE, False),
            client.variation_detail("checkout", ALICE, False),
        )
        with mask():
            await client.close()
        return {"on": both[0], "why": both[1].reason}

    app, recording = record_asgi(recordings, view, tasks=3)
    assert b'"on":true' in b"".join(recording.response.body)  # type: ignore[union-attr]
    assert_identical(recording, app)


def test_a_client_made_during_replay_is_offline() -> None:
    """It starts no thread and asks nobody, whatever its configuration says."""
    installer.install(["ldclient.client"])
    before = threading.active_count()
    replay_began(1)
    try:
        client = LDClient(
            Config("key", base_uri="http://127.0.0.1:1", stream_uri="http://127.0.0.1:1")
        )
    finally:
        replay_began(-1)
    assert client.is_offline()
    assert threading.active_count() == before


APP = """
import os
import flask, ldclient
from ldclient import Config, Context
from retrace_mw import RetraceMiddleware

url = os.environ.get("FLAGS_URL", "http://127.0.0.1:1")
ldclient.set_config(Config("key", stream_uri=url, base_uri=url, send_events=False))
app = flask.Flask("shop")

@app.get("/")
def index():
    client = ldclient.get()
    who = Context.create(flask.request.headers["X-User"])
    if client.variation("checkout", who, False):
        return {"checkout": "new", "theme": client.variation("theme", who, "light")}
    return {"checkout": "old"}

app.wsgi_app = RetraceMiddleware(app.wsgi_app)

if __name__ == "__main__":
    app.test_client().get("/", headers={"X-User": "alice"}, buffered=True)
    ldclient.get().close()
"""


def test_recorded_with_a_service_replayed_without(recordings: Path, tmp_path: Path) -> None:
    """Recorded against a stub of the streaming service; replayed by the command when it is gone."""
    (tmp_path / "shop.py").write_text(APP)
    flags = {
        "checkout": launchdarkly_flag("checkout", False, True, users=("alice",)),
        "theme": launchdarkly_flag("theme", "light", "dark", users=("alice",)),
    }
    with served(LAUNCHDARKLY, flags) as url:
        environ = {**os.environ, "FLAGS_URL": url}
        subprocess.run([sys.executable, "shop.py"], cwd=tmp_path, env=environ, check=True)
    (file,) = recordings.glob("*/*/trace.bin")
    retrace = [sys.executable, "-m", "retrace_core.cli"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*retrace, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    given = ("replay", str(file), "--app", "shop:app")
    done = run(*given)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = run("show", str(file)).stdout
    assert "checkout" in shown
    assert "TARGET_MATCH" in shown
    flipped = run(*given, "--flag", "checkout=false")
    assert flipped.returncode == 1, flipped.stdout + flipped.stderr
    assert "flag checkout: recorded True, replayed False" in flipped.stdout
    assert '+  "checkout": "old"' in flipped.stdout
    unknown = run(*given, "--flag", "nowhere=1")
    assert unknown.returncode == 2
    assert "flag 'nowhere' was never asked" in unknown.stderr
    assert "asked were: checkout, theme" in unknown.stderr


def test_flipping_in_code(recordings: Path, client: LDClient) -> None:
    """`replay(recording, app, flags={...})`: of each kind of call, the state included."""

    def view() -> Any:
        stage, _ = client.migration_variation("move", ALICE, Stage.OFF)
        return flask.jsonify(
            on=client.variation("checkout", ALICE, False),
            detail=client.variation_detail("checkout", ALICE, False).value,
            state=client.all_flags_state(ALICE).get_flag_value("checkout"),
            stage=stage.value,
        )

    app, recording = record_wsgi(recordings, view)
    same = replay(recording, app, flags={"checkout": True, "move": "live"})
    assert same.identical, same.summary()
    result = replay(recording, app, flags={"checkout": False, "move": "shadow"})
    assert result.exit_status == 1
    assert [one.what for one in result.differences] == ["header content-length", "body"]
    assert result.response is not None
    assert json.loads(b"".join(result.response.body)) == {
        "on": False,
        "detail": False,
        "state": False,
        "stage": "shadow",
    }
    with pytest.raises(FlagNotAsked, match="asked were: checkout, move, theme"):
        replay(recording, app, flags={"nowhere": 1})


def test_the_private_places_that_are_relied_on_are_there() -> None:
    """What has no public way: the next release of the SDK may move it."""
    import inspect

    import ldclient
    from ldclient.evaluation import FeatureFlagsState
    from ldclient.hook import _EvaluationWithHookResult

    assert {"__client", "__config"} <= set(vars(ldclient))
    assert set(vars(FeatureFlagsState(True))) == {
        "_FeatureFlagsState__flag_values",
        "_FeatureFlagsState__flag_metadata",
        "_FeatureFlagsState__valid",
    }
    asked = ["self", "key", "context", "default_value", "method", "block"]
    for client in (LDClient, AsyncLDClient):
        original = vars(client)[f"_{client.__name__}__evaluate_with_hooks"]
        assert list(inspect.signature(original).parameters) == asked
    fields = list(inspect.signature(_EvaluationWithHookResult).parameters)
    assert fields == ["evaluation_detail", "results"]
