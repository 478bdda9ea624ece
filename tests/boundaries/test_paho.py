"""paho-mqtt: what was published and what came is there again with the broker gone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt import publish, subscribe
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.kept_client import record_under_uvicorn, replay_each_cold
from tests.mosquitto_server import mosquitto_server
from tests.recorded import answered
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Start one broker for all of these tests; what they call by a name is their own."""
    with mosquitto_server() as port:
        yield port


def _client(**options: Any) -> Client:
    return Client(CallbackAPIVersion.VERSION2, **options)


def test_messages_of_a_fresh_client_are_published_again(recordings: Path, port: int) -> None:
    """Of each quality of service, waited for, and not; its thread's loop is nobody's."""

    def view() -> list[Any]:
        client = _client()
        client.connect(_HOST, port)
        client.loop_start()
        found = []
        for qos in (0, 1, 2):
            sent = client.publish("fresh", f"{qos}", qos=qos)
            sent.wait_for_publish(5)
            found.append([sent.mid, sent.rc, sent.is_published()])
        client.publish("fresh", b"x" * 9000)
        client.disconnect()
        return [*found, client.loop_stop()]

    assert answered(recordings, view)[:3] == [[1, 0, True], [2, 0, True], [3, 0, True]]


def test_callbacks_are_called_again_where_they_were(recordings: Path, port: int) -> None:
    """In the client's thread, each call with what it asks itself in a lane of its own."""

    def view() -> list[Any]:
        told, all_told = list[Any](), threading.Event()

        def connected(client: Any, _: Any, flags: Any, code: Any, properties: Any) -> None:
            told.append([str(code), flags.session_present, client is own, properties.isEmpty()])
            client.subscribe("heard/#", qos=1)

        def subscribed(client: Any, _: Any, mid: int, codes: Any, properties: Any) -> None:
            told.append([mid, [str(code) for code in codes]])
            client.publish("heard/one", b"1", qos=1)
            client.publish("heard/other", b"2")

        def heard(client: Any, marks: Any, message: Any) -> None:
            told.append([message.topic, message.payload.decode(), message.qos, marks])
            if message.payload == b"2":
                all_told.set()

        own = _client(userdata="mark")
        own.on_connect, own.on_subscribe, own.on_message = connected, subscribed, heard
        own.message_callback_add("heard/other", heard)
        own.connect(_HOST, port)
        own.loop_start()
        all_told.wait(10)
        own.disconnect()
        own.loop_stop()
        return told

    assert answered(recordings, view) == [
        ["Success", False, True, True],
        [1, ["Granted QoS 1"]],
        ["heard/one", "1", 1, "mark"],
        ["heard/other", "2", 0, "mark"],
    ]


def test_a_client_whose_loop_the_request_runs_comes_back(recordings: Path, port: int) -> None:
    """By `loop` again and again, and by `loop_forever`, which a callback ends; MQTT 5."""

    def view() -> list[Any]:
        told = list[Any]()
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("who", "ann")

        def connected(client: Any, *_: Any) -> None:
            client.subscribe("looped")

        def heard(client: Any, _: Any, message: Any) -> None:
            told.append([message.payload.decode(), message.properties.UserProperty])
            client.disconnect()

        client = _client(protocol=MQTTv5)
        client.on_connect, client.on_message = connected, heard
        client.on_subscribe = lambda *_: client.publish("looped", "1", properties=properties)
        client.connect(_HOST, port)
        while not client.is_connected():
            client.loop(0.1)
        client.loop_forever()
        return [*told, client.is_connected()]

    assert answered(recordings, view) == [["1", [["who", "ann"]]], False]


def test_messages_are_sent_and_got_without_a_client(recordings: Path, port: int) -> None:
    """One, several, and what was retained."""

    def view() -> list[Any]:
        publish.single("kept/one", "1", retain=True, hostname=_HOST, port=port)
        others: list[Any] = [{"topic": "kept/two", "payload": "2", "retain": True}, ("other", "3")]
        publish.multiple(others, hostname=_HOST, port=port)
        got: Any = subscribe.simple("kept/#", msg_count=2, hostname=_HOST, port=port)
        return [[message.topic, message.payload.decode(), message.retain] for message in got]

    assert sorted(answered(recordings, view)) == [["kept/one", "1", True], ["kept/two", "2", True]]


def test_failures_are_raised_again(recordings: Path, port: int) -> None:
    """No broker, nobody connected, a topic that is none."""

    def view() -> list[str]:
        found = []
        client = _client()
        for ask in (
            lambda: client.connect(_HOST, 1),
            lambda: client.publish("a/#", b""),
            lambda: client.publish("a", b"").wait_for_publish(1),
            lambda: client.subscribe("a")[0].name,
            lambda: publish.single("a", b"", hostname=_HOST, port=1),
        ):
            try:
                found.append(str(ask()))
            except (OSError, RuntimeError, ValueError) as error:
                found.append(type(error).__name__)
        return found

    assert answered(recordings, view) == [
        *("ConnectionRefusedError", "ValueError", "RuntimeError"),
        *("MQTT_ERR_NO_CONN", "ConnectionRefusedError"),
    ]


SERVICE = """
import json, os, random, threading

import paho.mqtt.client as mqtt
from fastapi import FastAPI

welcomed, seen, kept = threading.Event(), [], {}


def connected(client, userdata, flags, code, properties):
    client.subscribe("kept/#")
    welcomed.set()


def made():
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.username_pw_set("ann", "s3cret")
    client.on_connect = connected
    client.on_message = lambda client, userdata, message: seen.append(message.payload)
    client.connect("127.0.0.1", int(os.environ["MQTT"]))
    client.loop_start()
    return client


client = made()
welcomed.wait()
app = FastAPI()


@app.get("/")
def here():
    return "here"


@app.get("/kept")
def view():
    sent = client.publish("kept/one", json.dumps({"n": random.random()}), qos=1)
    sent.wait_for_publish(5)
    return ["sent", sent.mid, sent.rc, sent.is_published(), client.is_connected()]


@app.get("/lazy")
def lazily():
    if "client" not in kept:
        kept["client"] = made()
    sent = kept["client"].publish("other/one", b"n", qos=2)
    sent.wait_for_publish(5)
    return ["sent", sent.mid, sent.is_published()]
"""


def test_a_client_of_the_process_comes_back_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made at import, which waits for its connection; several requests at once over it."""
    with mosquitto_server("ann", "s3cret") as port:
        monkeypatch.setenv("MQTT", str(port))
        paths = ["/kept", "/lazy", "/lazy"]
        answers = record_under_uvicorn(tmp_path, monkeypatch, SERVICE, paths, at_once=2)
    assert all(answer.startswith('["sent",') for answer in answers), answers
    assert b"paho.publish" in raw(tmp_path / "recordings")
    assert b"s3cret" not in raw(tmp_path / "recordings")
    replay_each_cold(tmp_path, 6)
