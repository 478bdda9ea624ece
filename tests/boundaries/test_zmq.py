"""pyzmq: what comes by sockets of ZeroMQ comes again, with the peers gone."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import zmq
import zmq.asyncio

from retrace_core import installer, replay
from tests.recorded import answered, assert_identical, identical_body, record_asgi, record_wsgi
from tests.zeromq_peer import zeromq_peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core import Recording


@pytest.fixture(autouse=True)
def hooked() -> None:
    """Sockets that a test makes before its first request are known, as in a service."""
    installer.install()


@pytest.fixture
def context() -> Iterator[zmq.Context[Any]]:
    """Yield a context that is ended with all its sockets."""
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


def _kinds(recording: Recording) -> list[str]:
    return [event.kind for event in recording.lanes[0].events]


def test_a_question_and_its_answer_come_back(recordings: Path) -> None:
    """By a socket of the request's own: nothing tells of connecting."""
    with zeromq_peer() as peers:

        def view() -> str:
            with zmq.Context() as context, context.socket(zmq.REQ) as socket:
                socket.connect(peers["rep"])
                socket.send(b"hello")
                return socket.recv().decode()

        app, recording = record_wsgi(recordings, view)
    assert _kinds(recording) == ["zmq.send", "zmq.recv"]
    assert recording.lanes[0].events[0].key == [peers["rep"], b"hello"]
    assert identical_body(recording, app).startswith(b"hello 0.")


def test_a_kept_socket_replays_cold(recordings: Path) -> None:
    """The one that the replay's process makes leads to nobody."""
    kept: list[Any] = []
    with zeromq_peer() as peers:

        def view() -> str:
            if not kept:
                kept.append(zmq.Context.instance().socket(zmq.REQ))
                kept[0].connect(peers["rep"])
            kept[0].send_string("kept")
            return str(kept[0].recv_string())

        app, recording = record_wsgi(recordings, view)
        kept.pop().close()
    for _ in range(2):
        assert_identical(recording, app, times=1)
        kept.pop().close()


def test_messages_of_every_form_come_back(recordings: Path, context: zmq.Context[Any]) -> None:
    """JSON, objects, parts, frames, into a buffer; what `RCVMORE` says."""
    with zeromq_peer() as peers:

        def view() -> list[Any]:
            with context.socket(zmq.REQ) as asks, context.socket(zmq.DEALER) as talks:
                asks.connect(peers["rep"])
                talks.connect(peers["router"])
                asks.send_string("text")
                found: list[Any] = [asks.recv_string()]
                talks.send_multipart([b"one", b"two"])
                found.append([part.decode() for part in talks.recv_multipart()])
                talks.send_json({"n": 1})
                found += [talks.recv_json(), bool(talks.getsockopt(zmq.RCVMORE))]
                found += [talks.recv().decode(), bool(talks.RCVMORE)]
                talks.send(b"frames", copy=False)
                found.append([str(part) for part in talks.recv_multipart(copy=False)])
                asks.send(b"buffer")
                buffer = bytearray(100)
                found.append(buffer[: asks.recv_into(buffer)].decode())
                return found

        app, recording = record_wsgi(recordings, view)
    found = json.loads(identical_body(recording, app))
    assert found[1][:2] == ["one", "two"]
    assert found[2:4] == [{"n": 1}, True] and found[5] is False


def test_what_is_published_and_pushed_comes_back(
    recordings: Path, context: zmq.Context[Any]
) -> None:
    """A subscriber waits for the first news that it gets; of what is pushed nothing comes."""
    with zeromq_peer() as peers:

        def view() -> list[str]:
            with context.socket(zmq.SUB) as listens, context.socket(zmq.PUSH) as pushes:
                listens.connect(peers["pub"])
                listens.subscribe("news")
                pushes.connect(peers["pull"])
                pushes.send(b"work")
                return [part.decode() for part in listens.recv_multipart()]

        found = answered(recordings, view)
    assert found[0] == "news"


def test_waiting_comes_back(recordings: Path, context: zmq.Context[Any]) -> None:
    """By a poller, for one socket, by `select`; with nothing there, and no time."""
    with zeromq_peer() as peers:

        def view() -> list[Any]:
            with context.socket(zmq.DEALER) as talks, context.socket(zmq.DEALER) as silent:
                talks.connect(peers["router"])
                silent.connect(peers["router"])
                silent.send(b"silence")
                poller = zmq.Poller()
                poller.register(talks, zmq.POLLIN)
                poller.register(silent, zmq.POLLIN)
                found: list[Any] = [poller.poll(1), silent.poll(1)]
                talks.send(b"now")
                found.append([socket is talks for socket, _ in poller.poll()])
                found.append([socket is talks for socket in zmq.select([talks], [], [])[0]])
                found.append([part.decode() for part in talks.recv_multipart()])
                for flags in (zmq.NOBLOCK, 0):
                    silent.RCVTIMEO = 1
                    try:
                        silent.recv(flags)
                    except zmq.Again as error:
                        found.append([str(error), error.errno == zmq.EAGAIN])
                return found

        app, recording = record_wsgi(recordings, view)
    found = json.loads(identical_body(recording, app))
    assert found[:4] == [[], 0, [True], [True]]
    assert found[5:] == [["Resource temporarily unavailable", True]] * 2


def test_a_chosen_port_and_a_failed_bind_come_back(
    recordings: Path, context: zmq.Context[Any]
) -> None:
    """On replay nothing is bound: neither does the port matter, nor who else has it."""
    taken = context.socket(zmq.PULL)
    port = taken.bind_to_random_port("tcp://127.0.0.1")

    def view() -> list[Any]:
        with context.socket(zmq.PULL) as one, context.socket(zmq.PULL) as other:
            found: list[Any] = [
                one.bind_to_random_port("tcp://127.0.0.1"),
                one.LAST_ENDPOINT.decode(),
            ]
            try:
                other.bind(f"tcp://127.0.0.1:{port}")
            except zmq.ZMQError as error:
                found.append(str(error))
            return found

    app, recording = record_wsgi(recordings, view)
    taken.close()
    found = json.loads(identical_body(recording, app))
    assert found[1] == f"tcp://127.0.0.1:{found[0]}" and "in use" in found[2]


def test_sockets_within_the_process_are_left_alone(
    recordings: Path, context: zmq.Context[Any]
) -> None:
    """A thread of the request's own answers, on replay too; nothing of it is an event."""

    # A closed one gives its name back a little later, by a thread of ZeroMQ's: each has its own.
    names = (f"inproc://here-{number}" for number in count())

    def view() -> list[str]:
        name = next(names)
        with closing(context.socket(zmq.PAIR)) as here:
            here.bind(name)

            def answer() -> None:
                with closing(context.socket(zmq.PAIR)) as there:
                    there.connect(name)
                    there.send(there.recv().upper())

            thread = threading.Thread(target=answer)
            thread.start()
            here.send(b"loud")
            found = here.recv().decode()
            thread.join()
            return [found]

    app, recording = record_wsgi(recordings, view)
    assert not [kind for kind in _kinds(recording) if kind.startswith("zmq")]
    assert json.loads(identical_body(recording, app)) == ["LOUD"]


def test_a_request_that_asks_otherwise_is_told(recordings: Path, context: zmq.Context[Any]) -> None:
    """A message that was not recorded is a difference, and goes nowhere."""
    said = ["one"]
    with zeromq_peer() as peers:

        def view() -> str:
            with context.socket(zmq.REQ) as socket:
                socket.connect(peers["rep"])
                socket.send_string(said[0])
                return str(socket.recv_string())

        app, recording = record_wsgi(recordings, view)
    said[0] = "two"
    assert not replay(recording, app).identical


# -- under asyncio


def test_asyncio_sockets_come_back(recordings: Path) -> None:
    """Questions, parts, JSON; several wait at once, each for its own."""
    with zeromq_peer() as peers:

        async def view() -> list[Any]:
            with zmq.asyncio.Context() as context, context.socket(zmq.REQ) as asks:
                asks.connect(peers["rep"])
                await asks.send(b"hello")
                found: list[Any] = [(await asks.recv()).decode()]

                async def talk(name: bytes) -> list[str]:
                    with context.socket(zmq.DEALER) as socket:
                        socket.connect(peers["router"])
                        await socket.send_multipart([name, b"more"])
                        return [part.decode() for part in await socket.recv_multipart()]

                found += await asyncio.gather(*(talk(b"%d" % n) for n in range(4)))
                with context.socket(zmq.DEALER) as socket:
                    socket.connect(peers["router"])
                    await socket.send_json({"n": 1})
                    found += [await socket.recv_json(), (await socket.recv()).decode()]
                return found

        app, recording = record_asgi(recordings, view)
    found = json.loads(identical_body(recording, app))
    assert [one[0] for one in found[1:5]] == ["0", "1", "2", "3"]
    assert found[5] == {"n": 1}


def test_asyncio_waiting_comes_back(recordings: Path) -> None:
    """Pollers, what takes too long by asyncio's clock or by libzmq's, what is not there."""
    with zeromq_peer() as peers:

        async def view() -> list[Any]:
            found: list[Any] = []
            with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
                socket.connect(peers["router"])
                try:
                    await asyncio.wait_for(socket.recv(), 0.01)
                except TimeoutError:
                    found.append("late")
                found.append(await socket.poll(1))
                for flags in (zmq.NOBLOCK, 0):
                    socket.RCVTIMEO = 1
                    try:
                        await socket.recv(flags)
                    except zmq.Again as error:
                        found.append(str(error))
                socket.RCVTIMEO = -1
                await socket.send(b"now")
                poller = zmq.asyncio.Poller()
                poller.register(socket, zmq.POLLIN)
                found.append([one is socket for one, _ in await poller.poll()])
                found.append(len(await socket.recv_multipart()))
                waiting = socket.recv()
            found.append(waiting.cancelled())
            return found

        app, recording = record_asgi(recordings, view)
    again = "Resource temporarily unavailable"
    found = json.loads(identical_body(recording, app))
    assert found == ["late", 0, again, again, [True], 2, True]
