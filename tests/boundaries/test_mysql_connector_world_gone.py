"""MySQL Connector/Python below SQLAlchemy, its pool and Django: replayed, the server stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.mariadb_server import mariadb_server

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "import _mysql_connector  # before an OpenSSL older than its own\n"
APP = """
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
RECORDER = """
import app
import threading


def ask():
    assert app.app.test_client().get("/", buffered=True).status_code == 200


ask()
threads = [threading.Thread(target=ask) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
DJANGO_APP = """
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
            "ENGINE": "mysql.connector.django",
            "NAME": os.environ["DB_NAME"],
            "USER": "shop",
            "PASSWORD": "secret",
            "HOST": "127.0.0.1",
            "PORT": os.environ["DB_PORT"],
            "CONN_MAX_AGE": 60,
            "OPTIONS": {"use_pure": os.environ["USE_PURE"] == "1"},
        }
    },
)
django.setup()
from django.contrib.auth.models import Group, User
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, transaction


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


urlpatterns = [path("", view)]
app = RetraceMiddleware(get_wsgi_application())
"""
DJANGO_RECORDER = """
import app
from django.core.management import call_command
from werkzeug.test import Client
call_command("migrate", verbosity=0)
client = Client(app.app)
for _ in range(2):
    answer = client.get("/", buffered=True)
    assert answer.status_code == 200, answer.text
"""
PLAYER = """
import sys
from retrace_core import replay
for path in sys.argv[1:]:
    for _ in range(3):
        result = replay(path, "app:app")
        assert result.identical, "\\n".join([result.summary(), *result.notes])
"""


@pytest.mark.parametrize("pure", [True, False], ids=["pure", "in_c"])
def test_sqlalchemy_and_a_pool_in_a_fresh_process(
    recordings: Path, tmp_path: Path, pure: bool
) -> None:
    """Requests one by one and five at once, on cold connections and on warm ones."""
    _record_and_replay(recordings, tmp_path, APP, RECORDER, pure, 6)


@pytest.mark.parametrize("pure", [True, False], ids=["pure", "in_c"])
def test_django_in_a_fresh_process(recordings: Path, tmp_path: Path, pure: bool) -> None:
    """Users, groups, a failed insert in a savepoint and a cursor's chunks."""
    _record_and_replay(recordings, tmp_path, DJANGO_APP, DJANGO_RECORDER, pure, 2)


def _record_and_replay(
    recordings: Path, tmp_path: Path, app: str, recorder: str, pure: bool, count: int
) -> None:
    (tmp_path / "app.py").write_text(app)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "RETRACE_BOOT_TAPE": "1"}
    environ["USE_PURE"] = str(int(pure))
    with mariadb_server() as server:
        environ |= {"DB_NAME": server.new_database(), "DB_PORT": str(server.port)}
        subprocess.run([sys.executable, "-c", FIRST + recorder], env=environ, check=True)
    paths = [path for path in recordings.glob("*/*/*.bin") if "boot" not in str(path.parent)]
    assert len(paths) == count
    found = subprocess.run(
        [sys.executable, "-c", FIRST + PLAYER, *map(str, paths)],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr
