"""Drivers of MySQL below SQLAlchemy, Django and pools: replayed afresh, with the server stopped."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.fresh import record_in_a_process, replay_by_name
from tests.mariadb_server import mariadb_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = "import _mysql_connector  # before an OpenSSL older than its own\n"
SQLALCHEMY = """
import importlib
import os
import flask
from sqlalchemy import create_engine, text
from retrace_mw import RetraceMiddleware

driver = importlib.import_module(os.environ["DRIVER"])
url = os.environ["DATABASE_URL"]
engine = create_engine(url, pool_pre_ping=True)
app = flask.Flask("app")


@app.get("/")
def values():
    with engine.begin() as connection:
        first = connection.execute(text("SELECT rand(), uuid()")).one()
    plain = driver.connect(host="127.0.0.1", port=engine.url.port, user="shop", password="secret")
    with plain, plain.cursor() as cursor:
        cursor.execute("SELECT rand()")
        return [*first, *cursor.fetchone()]


app.wsgi_app = RetraceMiddleware(app.wsgi_app)
"""
ASK = """
from application import app
app.test_client().get("/", buffered=True)
"""
POOLS = """
import os
import flask
import mysql.connector
from mysql.connector import pooling
from sqlalchemy import create_engine, text
from retrace_mw import RetraceMiddleware

options = {"host": "127.0.0.1", "port": int(os.environ["DB_PORT"]), "user": "shop",
           "password": "secret", "database": os.environ["DB_NAME"],
           "use_pure": os.environ["USE_PURE"] == "1"}
engine = create_engine("mysql+mysqlconnector://", connect_args=options, pool_pre_ping=True)
pool = pooling.MySQLConnectionPool(pool_name="five", pool_size=5, **options)
app = flask.Flask("app")


@app.get("/")
def values():
    with engine.begin() as connection:
        first = connection.execute(text("SELECT rand(), uuid()")).one()
    plain = mysql.connector.connect(**options)
    cursor = plain.cursor(dictionary=True)
    cursor.execute("SELECT rand() AS n, sleep(0.01)")
    own = cursor.fetchall()
    plain.close()
    with pool.get_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rand() FROM seq_1_to_5")
        return [*first, own, *cursor.fetchall(), mysql.connector.HAVE_CEXT]


app.wsgi_app = RetraceMiddleware(app.wsgi_app)
"""
ASK_AT_ONCE = """
import threading
from application import app


def ask():
    assert app.test_client().get("/", buffered=True).status_code == 200


ask()
threads = [threading.Thread(target=ask) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
DJANGO = """
import json
import os
import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from retrace_mw import RetraceMiddleware

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={
        "default": {
            "ENGINE": os.environ["ENGINE"],
            "NAME": os.environ["DB_NAME"],
            "USER": "shop",
            "PASSWORD": "secret",
            "HOST": "127.0.0.1",
            "PORT": os.environ["DB_PORT"],
            "CONN_MAX_AGE": 60,
            "OPTIONS": json.loads(os.environ["OPTIONS"]),
        }
    },
)
django.setup()
from django.contrib.auth.models import Group, User
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, connection, transaction

with connection.cursor() as cursor:
    cursor.execute("SELECT 1")


def view(request):
    user = User.objects.create_user("ann%d" % User.objects.count(), "ann@x.org", "pw")
    group, made = Group.objects.get_or_create(name="all")
    user.groups.add(group)
    try:
        with transaction.atomic():
            Group.objects.create(name="all")
    except IntegrityError as error:
        said = str(error)
    Group.objects.bulk_create([Group(name=f"{user.username}-{n}") for n in range(3)])
    found = User.objects.filter(groups__name="all").values("username", "email", "date_joined")
    names = list(Group.objects.order_by("-name").iterator(chunk_size=2))
    return JsonResponse({"said": said, "made": made, "found": list(found), "id": user.pk,
                         "names": [one.name for one in names]})


def health(request):
    User.objects.bulk_create([User(username="h%d" % User.objects.count())])  # asks what it can do
    return JsonResponse({"ok": True})


urlpatterns = [path("", view), path("health", health)]
app = RetraceMiddleware(get_wsgi_application())
asgi = RetraceMiddleware(get_asgi_application())
"""
ASK_TWICE = """
from application import app
from django.core.management import call_command
from werkzeug.test import Client
call_command("migrate", verbosity=0)
client = Client(app)
for _ in range(2):
    answer = client.get("/", buffered=True)
    assert answer.status_code == 200, answer.text
"""
# The start-up asks on another thread than requests do, whose connection is a new one.
ASK_AFTER_A_HEALTH_CHECK = """
import asyncio
import httpx
from application import asgi
from django.core.management import call_command
call_command("migrate", verbosity=0)


async def serve():
    transport = httpx.ASGITransport(asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for path in ("/health", "/"):
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text


asyncio.run(serve())
"""


@contextmanager
def server_of(monkeypatch: pytest.MonkeyPatch, scheme: str = "", **more: str) -> Iterator[None]:
    """Run a server, and tell the application's processes of it and of more by variables."""
    with mariadb_server() as server:
        name = server.new_database()
        of_server = {"DB_NAME": name, "DB_PORT": str(server.port), "RETRACE_BOOT_TAPE": "1"}
        of_server["DATABASE_URL"] = server.url(name, scheme)
        for variable, value in {**of_server, **more}.items():
            monkeypatch.setenv(variable, value)
        yield


@pytest.mark.parametrize(
    ("driver", "scheme"), [("pymysql", "mysql+pymysql"), ("MySQLdb", "mysql+mysqldb")]
)
def test_sqlalchemy_and_a_plain_connection(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, driver: str, scheme: str
) -> None:
    """SQLAlchemy's first connect in the process, and one without it."""
    with server_of(monkeypatch, scheme, DRIVER=driver):
        record_in_a_process(recordings, SQLALCHEMY, ASK)
    assert replay_by_name(recordings) == 1


@pytest.mark.parametrize("pure", [True, False], ids=["pure", "in_c"])
def test_sqlalchemy_and_a_pool_of_connectors(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, pure: bool
) -> None:
    """Requests one by one and five at once, on cold connections and on warm ones."""
    with server_of(monkeypatch, USE_PURE=str(int(pure))):
        record_in_a_process(recordings, POOLS, FIRST + ASK_AT_ONCE)
    assert replay_by_name(recordings, first=FIRST) == 6


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        pytest.param("django.db.backends.mysql", {}, id="mysqlclient"),
        pytest.param("mysql.connector.django", {"use_pure": True}, id="connector_pure"),
        pytest.param("mysql.connector.django", {"use_pure": False}, id="connector_in_c"),
    ],
)
def test_django(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, engine: str, options: dict[str, bool]
) -> None:
    """Users, groups, a failed insert in a savepoint and a cursor's chunks; cold, and on a warm
    connection."""
    with server_of(monkeypatch, ENGINE=engine, OPTIONS=json.dumps(options)):
        record_in_a_process(recordings, DJANGO, FIRST + ASK_TWICE)
    assert replay_by_name(recordings, first=FIRST) == 2


def test_a_request_that_is_not_recorded_found_out_what_the_server_can_do(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A health check; the recorded request after it, on the same thread, asked that no more."""
    monkeypatch.setenv("RETRACE_EXCLUDE", "/health")
    with server_of(monkeypatch, ENGINE="django.db.backends.mysql", OPTIONS="{}"):
        record_in_a_process(recordings, DJANGO, ASK_AFTER_A_HEALTH_CHECK)
    assert replay_by_name(recordings, app="asgi") == 1
