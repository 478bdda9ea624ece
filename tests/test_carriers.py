"""inject and extract: the trace in messages of a queue and entries of a stream."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import kombu
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from retrace_core.boot.tape import Chapter
from retrace_core.ids import safe_folder
from retrace_core.native import LANE, OFF
from retrace_mw import RetraceMiddleware, TraceIdFilter, extract, inject
from retrace_mw.log_filter import current_trace_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def in_a_request(act: Callable[[], Any], rate: float = 1.0, headers: Any = None) -> Any:
    """Run a function inside a request; return the response's headers."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        act()
        start_response("200 OK", [])
        return [b""]

    client = Client(RetraceMiddleware(app, sample_rate=rate, service="front"))
    return client.get("/", headers=headers, buffered=True).headers


def test_a_mapping_carries_a_trace_and_its_decision(recordings: Path) -> None:
    """What is sent inside a recorded request names its trace, and asks for a recording."""
    carrier: dict[str, str] = {}
    answer = in_a_request(lambda: inject(carrier))
    trace = extract(carrier)
    assert trace.name == answer["X-Trace-ID"]
    assert trace.upstream == "yes"
    assert trace.parent_span_id


def test_an_unrecorded_request_hands_on_its_trace(recordings: Path) -> None:
    """With the decision, and without the header that would ask for a recording."""
    carrier: dict[str, str] = {}
    in_a_request(lambda: inject(carrier), rate=0.0)
    assert sorted(carrier) == ["traceparent", "tracestate", "x-retrace"]
    assert extract(carrier).upstream == "no"


def test_outside_a_request_nothing_is_sent() -> None:
    """And what was sent by nobody is a fresh trace."""
    carrier: dict[str, str] = {}
    inject(carrier)
    assert carrier == {}
    assert not extract(carrier).carried


def test_a_carrier_of_any_kind_has_a_setter_and_a_getter(recordings: Path) -> None:
    """Pairs of bytes, as Kafka's clients have them."""
    pairs: list[tuple[str, bytes]] = []
    in_a_request(lambda: inject(pairs, lambda to, name, value: to.append((name, value.encode()))))
    trace = extract(pairs, lambda carrier, name: [v for n, v in carrier if n == name])
    assert trace.upstream == "yes"


@given(st.dictionaries(st.text() | st.binary(), st.text() | st.binary() | st.integers()))
def test_any_mapping_gives_a_trace(carrier: dict[Any, Any]) -> None:
    """Whatever is in it."""
    assert safe_folder(extract(carrier).name)


def test_a_message_of_kombu_carries_a_trace(recordings: Path) -> None:
    """Published with `headers`, as Celery's tasks are, and read where it is consumed."""
    with kombu.Connection("memory://") as connection:
        queue = connection.SimpleQueue("orders")

        def publish() -> None:
            headers: dict[str, str] = {}
            inject(headers)
            queue.put({"order": 7}, headers=headers)

        answer = in_a_request(publish)
        message = queue.get(timeout=5)
        assert extract(message.headers).name == answer["X-Trace-ID"]
        message.ack()
        queue.close()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the path of the socket of a Redis server of our own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    path = str(tmp_path_factory.mktemp("redis") / "redis.sock")
    command = [program, "--port", "0", "--unixsocket", path, "--save", "", "--daemonize", "no"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if "eady to accept connections" in line:
            break
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.connect(path)
    yield path
    server.terminate()
    server.communicate(timeout=10)


@pytest.mark.parametrize("decode", [True, False], ids=["text", "bytes"])
def test_an_entry_of_a_redis_stream_carries_a_trace(
    recordings: Path, redis_server: str, decode: bool
) -> None:
    """Its fields are the carrier; read as text or as bytes."""
    with redis.Redis(unix_socket_path=redis_server, decode_responses=decode) as client:

        def publish() -> None:
            fields: dict[Any, Any] = {"order": "7"}
            inject(fields)
            client.xadd("orders", fields)

        answer = in_a_request(publish, rate=0.0, headers={"X-Trace-ID": "order-7"})
        ((_, fields),) = client.xrevrange("orders", count=1)
    assert answer["X-Trace-ID"] == "order-7"
    assert extract(fields).name == "order-7"


@pytest.mark.parametrize("rate", [1.0, 0.0], ids=["recorded", "unrecorded"])
def test_log_records_know_their_trace(recordings: Path, rate: float) -> None:
    """By a filter on the handler, which leaves a record's own trace_id alone."""
    seen: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.trace_id)  # type: ignore[attr-defined]

    handler = Handler()
    handler.addFilter(TraceIdFilter())
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    carrier: dict[str, str] = {}

    def act() -> None:
        inject(carrier)
        logger.warning("inside")
        logger.warning("own", extra={"trace_id": "given"})

    try:
        in_a_request(act, rate)
        logger.warning("outside")
    finally:
        logger.removeHandler(handler)
    assert seen == [extract(carrier).name, "given", "-"]


def test_a_lane_of_the_boot_hides_no_trace(recordings: Path) -> None:
    """It stays in the context that imported the application, when the boot has ended."""
    found: list[str] = []
    chapter = Chapter("boot", None, 1 << 20)
    token = LANE.set(chapter.root)
    chapter.root.mode = OFF
    try:
        in_a_request(lambda: found.append(current_trace_name()), 0.0)
    finally:
        LANE.reset(token)
    assert found[0]
