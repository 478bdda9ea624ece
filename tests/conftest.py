"""What all tests share: faults of ours are failures, and nothing stays installed."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING

import pytest
import uvloop
from hypothesis import HealthCheck, settings

# Most tests are of one request; what this process did before is none of their business.
os.environ.setdefault("RETRACE_BOOT_TAPE", "0")
# The secrets of tests are texts of their code; in most applications they are not.
os.environ.setdefault("RETRACE_REDACT_POINT_TO_CODE", "0")

from retrace_core import failsafe, flight_recorder, installer, keep_sharing, triggers, writer
from retrace_core.redaction import in_force
from retrace_core.redaction.known_secrets import KnownSecrets
from tests.mariadb_server import mariadb_server
from tests.postgresql_server import postgresql_server
from tests.rabbitmq_server import rabbitmq_server
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mariadb_server import MariadbServer
    from tests.postgresql_server import PostgresqlServer
    from tests.rabbitmq_server import RabbitmqServer
    from tests.redis_server import RedisServer

# How long an example takes says something about who else uses the machine.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is collected, and all that it imports, out of the garbage collector's sight.

    Else each full collection goes through a million objects: more than half a second, every few
    tests, in which whatever they time stands still.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def faults_are_failures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Raise faults of ours instead of swallowing them, unless a test injects some."""
    failsafe.strict = request.node.get_closest_marker("faults_expected") is None
    yield
    failsafe.strict = False


@pytest.fixture(autouse=True)
def own_writer() -> Iterator[None]:
    """Give each test a writer and a flight recorder of its own, flushed at its end."""
    yield
    writer.flush(5)
    writer._writer = None
    flight_recorder._recorder = None
    keep_sharing.share(None)
    triggers.uninstall()


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test know of the secrets that recordings of the one before had."""
    monkeypatch.setattr(in_force, "_known_secrets", KnownSecrets())


@pytest.fixture(autouse=True)
def own_identity() -> Iterator[None]:
    """Forget the private keys that a command run in this process was given."""
    before = os.environ.get("RETRACE_IDENTITY")
    yield
    os.environ.pop("RETRACE_IDENTITY", None)
    if before is not None:
        os.environ["RETRACE_IDENTITY"] = before


@pytest.fixture(autouse=True)
def nothing_installed() -> Iterator[None]:
    """Take the boundaries out after each test."""
    yield
    installer.uninstall()


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder into which everything is recorded."""
    folder = tmp_path / "recordings"
    monkeypatch.setenv("RETRACE", "1")
    monkeypatch.setenv("RETRACE_SAMPLE_RATE", "1")
    monkeypatch.setenv("RETRACE_RECORDING_PATH", str(folder))
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for files, `data` in the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(params=["asyncio", "uvloop"])
def on_either_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a test on either event loop."""
    if request.param == "uvloop":
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """Return a PostgreSQL for the whole session; take a database of your own, don't stop it."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_for_all() -> Iterator[RedisServer]:
    """Return a Redis for the whole session; don't stop it."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(redis_for_all: RedisServer) -> RedisServer:
    """Return the Redis of the session, empty."""
    redis_for_all.flush()
    return redis_for_all


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """Return a MariaDB for the whole session; take a database of your own, don't stop it."""
    with mariadb_server() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitmqServer]:
    """Return a RabbitMQ for the whole session; name queues of your own, don't stop it."""
    with rabbitmq_server() as server:
        yield server
