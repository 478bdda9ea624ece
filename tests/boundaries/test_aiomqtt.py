"""aiomqtt: what was published and what came is there again with the broker gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from tests.kept_client import record_under_uvicorn, replay_each_cold
from tests.mosquitto_server import mosquitto_server
from tests.recorded import identical_body, record_asgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Start one broker for all of these tests."""
    with mosquitto_server("ann", "s3cret") as port:
        yield port


def test_messages_of_a_fresh_client_come_back(recordings: Path, port: int) -> None:
    """Published with each quality of service, subscribed to, and gone through."""

    async def view() -> list[Any]:
        found: list[Any] = []
        login = {"username": "ann", "password": "s3cret", "protocol": aiomqtt.ProtocolVersion.V5}
        async with aiomqtt.Client(_HOST, port, **login) as client:  # type: ignore[arg-type]
            codes = await client.subscribe("fresh/#", qos=2)
            for qos in (0, 1, 2):
                await client.publish(f"fresh/{qos}", b"%d" % qos, qos=qos)
            async for message in client.messages:
                topic = [str(message.topic), message.topic.matches("fresh/+")]
                found.append([*topic, message.payload.decode(), message.qos, message.mid])
                if len(found) == 3:
                    break
            await client.unsubscribe("fresh/#")
            return [[str(code) for code in codes], len(client.messages), *sorted(found)]

    app, recording = record_asgi(recordings, view, tasks=2)
    codes, left, *messages = json.loads(identical_body(recording, app))
    assert [codes, left] == [["Granted QoS 2"], 0]
    assert [one[:3] for one in messages] == [[f"fresh/{n}", True, f"{n}"] for n in range(3)]
    assert "s3cret" not in str([lane.events for lane in recording.lanes])


def test_errors_are_raised_again(recordings: Path, port: int) -> None:
    """No broker, a login that is refused, a client that is entered twice, one that is not."""

    async def view() -> list[str]:
        found = []
        login = {"username": "ann", "password": "s3cret"}
        entered = aiomqtt.Client(_HOST, port, **login)  # type: ignore[arg-type]
        for ask in (
            aiomqtt.Client(_HOST, 1).__aenter__,
            aiomqtt.Client(_HOST, port, username="bob", password="no").__aenter__,
            entered.__aenter__,
            entered.__aenter__,
            lambda: entered.__aexit__(None, None, None),
            lambda: entered.publish("a", b""),
        ):
            try:
                found.append(type(await ask()).__name__)
            except aiomqtt.MqttError as error:
                found.append(f"{type(error).__name__}({error})")
        return found

    app, recording = record_asgi(recordings, view, tasks=2)
    refused, login, entered, again, left, unsent = json.loads(identical_body(recording, app))
    assert refused.startswith("MqttError([Errno 111]")
    assert login == "MqttConnectError([code:135] Not authorized)"
    assert [entered, again[:19], left] == ["Client", "MqttReentrantError(", "NoneType"]
    assert unsent.startswith("MqttCodeError([code:4]")


SERVICE = """
import asyncio, os, random
from contextlib import asynccontextmanager

import aiomqtt
from fastapi import FastAPI

kept, seen = {}, []


async def consume(client):
    await client.subscribe("seen/#")
    async for message in client.messages:
        seen.append(message.payload)


@asynccontextmanager
async def lifespan(app):
    async with aiomqtt.Client(
        "127.0.0.1", int(os.environ["MQTT"]), username="ann", password="s3cret"
    ) as client:
        kept["client"] = client
        task = asyncio.create_task(consume(client))
        yield
        task.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def here():
    return "here"


@app.get("/kept")
async def view():
    sent = random.random()
    await kept["client"].publish("kept/one", f"{sent}", qos=1)
    await kept["client"].publish("seen/one", b"n")
    return ["sent", sent]
"""


def test_a_client_that_the_start_up_connects_comes_back_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    """Several requests at once over it; its consumer of the start-up hangs nobody."""
    monkeypatch.setenv("MQTT", str(port))
    answers = record_under_uvicorn(tmp_path, monkeypatch, SERVICE, ["/kept", "/kept"], at_once=2)
    monkeypatch.setenv("MQTT", "1")
    assert all(answer.startswith('["sent",') for answer in answers), answers
    assert b"aiomqtt.publish" in raw(tmp_path / "recordings")
    assert b"s3cret" not in raw(tmp_path / "recordings")
    replay_each_cold(tmp_path, 4)
