"""pymongo: what the server answered comes back with the server gone, through its own objects.

The server is a stand-in of ours (`tests.mongo_server`): no mongod is to be had here.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect, DuplicateKeyError, ServerSelectionTimeoutError

from retrace_core import replay
from retrace_core.databases.mongodb.topology import is_news
from tests import mongo_server
from tests.fresh import record_in_a_process, replay_in_a_process
from tests.mongo_server import PASSWORD, USER
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retrace_core import Recording
    from tests.mongo_server import MongoServer


@pytest.fixture(params=["", "rs0"], ids=["standalone", "replica set"])
def server(request: pytest.FixtureRequest) -> Iterator[MongoServer]:
    """Run a server."""
    with mongo_server.running(request.param) as server:
        yield server


@pytest.fixture
def client(server: MongoServer) -> Iterator[MongoClient[Any]]:
    """Return a client of it."""
    with MongoClient[Any](server.url) as client:
        yield client


def recorded(recordings: Path, view: Callable[[], Any]) -> tuple[Any, Recording]:
    """Record a Flask view that must answer well."""
    app, recording = record_wsgi(recordings, lambda: json.dumps(view(), default=repr))
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    return app, recording


def test_what_a_shop_asks(recordings: Path, server: MongoServer, client: MongoClient[Any]) -> None:
    """Inserts, finds in batches, updates, counts, deletes; ids made here come out the same."""

    def view() -> Any:
        users = client.shop.users
        made = users.insert_one({"email": "ann@example.org", "n": 1}).inserted_id
        users.insert_many([{"n": 2, "at": ObjectId()} for _ in range(7)])
        seen: list[Any] = [made, list(users.find({"n": 2}, batch_size=3))]
        seen.append(users.update_one({"n": 1}, {"$inc": {"n": 40}}).modified_count)
        seen.append(users.find_one_and_update({"n": 41}, {"$set": {"n": 0}}))
        seen.append(users.count_documents({"n": 2}))
        seen.append(users.delete_many({"n": 2}).deleted_count)
        try:
            users.insert_one({"email": "ann@example.org"})
        except DuplicateKeyError as error:
            seen.append([error.code, str(error)])
        return seen

    app, recording = recorded(recordings, view)
    assert len(recording.response.body[0]) > 500
    server.shutdown()
    server.socket.close()
    assert_identical(recording, app)


def test_every_type_comes_back_as_it_was(
    recordings: Path, server: MongoServer, client: MongoClient[Any]
) -> None:
    """Types that MessagePack lacks, an application's own "$oid", integers of 64 bits."""
    value = {
        "oid": ObjectId(),
        "long": Int64(1),
        "decimal": Decimal128("1.50"),
        "regex": Regex("^a", 2),
        "binary": [b"plain", Binary(b"own", 128)],
        "nested": {"$oid": "an application's"},
        "many": {"$date": 1, "more": None},
    }
    server.collections["shop.things"].append({"_id": 1, "value": value})

    def view() -> Any:
        found = client.shop.things.find_one({"_id": 1})
        assert found is not None
        return [repr(found), type(found["value"]["long"]).__name__]

    app, recording = recorded(recordings, view)
    assert json.loads(recording.response.body[0]) == [repr({"_id": 1, "value": value}), "Int64"]
    assert_identical(recording, app)


def test_another_question_diverges(
    recordings: Path, server: MongoServer, client: MongoClient[Any]
) -> None:
    """A changed filter is another call, and gets no other call's answer."""
    wanted = ["ann"]
    server.collections["shop.users"].append({"_id": 1, "name": "ann"})

    def view() -> Any:
        return client.shop.users.find_one({"name": wanted[0]})

    app, recording = recorded(recordings, view)
    wanted[0] = "bob"
    result = replay(recording, app)
    assert not result.identical
    assert "bob" in result.summary()


def test_a_server_that_is_lost(recordings: Path, server: MongoServer) -> None:
    """A read is tried again, a write that may not be is the application's error; so on replay."""
    client: MongoClient[Any] = MongoClient(server.url, retryWrites=False)

    def view() -> Any:
        users = client.shop.users
        users.insert_one({"n": 1})
        server.failing += ["find", "update"]
        seen: list[Any] = [users.find_one({"n": 1})]
        try:
            users.update_one({"n": 1}, {"$set": {"n": 2}})
        except AutoReconnect as error:
            seen.append(str(error))
        return seen

    app, recording = recorded(recordings, view)
    assert_identical(recording, app)
    client.close()


def test_no_server_at_all(recordings: Path) -> None:
    """What selecting a server says in the end is the application's error on replay, at once."""
    client: MongoClient[Any] = MongoClient("127.0.0.1:1", serverSelectionTimeoutMS=300)

    def view() -> Any:
        try:
            client.shop.users.find_one()
        except ServerSelectionTimeoutError as error:
            return str(error)
        return None

    app, recording = recorded(recordings, view)
    assert b"Connection refused" in recording.response.body[0]
    assert_identical(recording, app)
    client.close()


def test_sessions_and_unacknowledged_writes(
    recordings: Path, server: MongoServer, client: MongoClient[Any]
) -> None:
    """A transaction, and a write that waits for no answer: its question must be the same."""

    def view() -> Any:
        users = client.shop.users
        with client.start_session() as session, session.start_transaction():
            users.insert_one({"n": 1}, session=session)
        quiet = users.with_options(write_concern=pymongo.WriteConcern(w=0))
        return quiet.insert_one({"n": 2}).acknowledged

    app, recording = recorded(recordings, view)
    assert [event.kind for lane in recording.lanes for event in lane.events].count(
        "pymongo.send"
    ) == 1
    assert_identical(recording, app)


def test_a_password_in_a_document_is_masked(
    recordings: Path, server: MongoServer, client: MongoClient[Any]
) -> None:
    """Fields are masked by their names, in questions and answers, and it replays all the same."""

    def view() -> Any:
        users = client.shop.users
        users.insert_one({"_id": 1, "password": "hunter2-hunter2"})
        return users.find_one({"password": "hunter2-hunter2"}, {"password": 1}) is not None

    app, recording = recorded(recordings, view)
    (path,) = recordings.glob("*/*/trace.bin")
    assert b"hunter2-hunter2" not in path.read_bytes()
    assert "hunter2-hunter2" not in repr(recording.lanes)
    assert_identical(recording, app)


async def users_of(client: AsyncMongoClient[Any]) -> list[Any]:
    """Ask several things at once, and some in turn."""
    users = client.shop.users

    async def one(number: int) -> Any:
        await users.insert_one({"n": number})
        return await users.find_one({"n": number})

    seen: list[Any] = list(await asyncio.gather(*(one(number) for number in range(5))))
    seen.append([one async for one in users.find({}, batch_size=2)])
    seen.append(await users.count_documents({"n": 3}))
    return seen


def test_the_asyncio_client(recordings: Path, server: MongoServer) -> None:
    """Tasks that ask at once get their own answers; cursors go on."""

    async def handler() -> Any:
        client: AsyncMongoClient[Any] = AsyncMongoClient(server.url)
        seen = await users_of(client)
        await client.close()
        return json.loads(json.dumps(seen, default=repr))

    app, recording = record_asgi(recordings, handler, tasks=5)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    server.shutdown()
    server.socket.close()
    assert_identical(recording, app)


_APPLICATION = """
import json
from fastapi import FastAPI
from pymongo import AsyncMongoClient, MongoClient
from retrace_mw import RetraceMiddleware

URL = {url!r}
app = FastAPI()
blocking = MongoClient(URL, connect=False)
waiting = []


@app.get("/")
async def users():
    if not waiting:
        waiting.append(AsyncMongoClient(URL))
    await waiting[0].shop.users.insert_one({{"n": 1}})
    seen = [await waiting[0].shop.users.find_one(), blocking.shop.users.find_one()]
    return json.loads(json.dumps(seen, default=repr))


app.add_middleware(RetraceMiddleware)
"""


def test_in_a_fresh_process_with_a_login(
    recordings: Path, server: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that logs in (SCRAM) comes back where there is no server to log into."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    url = f"mongodb://{USER}:{PASSWORD}@{server.address}/?serverSelectionTimeoutMS=2000"
    answer = record_in_a_process(recordings, _APPLICATION.format(url=url))
    assert answer.startswith("200"), answer
    assert "ObjectId" in answer
    server.shutdown()
    server.socket.close()
    monkeypatch.setenv("RETRACE", "0")
    replay_in_a_process(recordings)
    assert PASSWORD.encode() not in b"".join(
        path.read_bytes() for path in recordings.rglob("*.bin")
    )


def test_a_heartbeat_is_no_news(server: MongoServer, client: MongoClient[Any]) -> None:
    """What monitors find again and again is noted once: a description of the same is no news."""
    client.shop.command("ping")
    topology = client._topology
    assert is_news(topology)
    before = topology.description
    topology.on_change(next(iter(before.server_descriptions().values())))
    assert topology.description is not before
    assert not is_news(topology)
