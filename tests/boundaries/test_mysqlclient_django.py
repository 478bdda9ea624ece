"""Django's ORM on mysqlclient, its own driver for MySQL: replayed with the server stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.mariadb_server import mariadb_server

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

APP = """
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
            "ENGINE": "django.db.backends.mysql",
            "NAME": os.environ["DB_NAME"],
            "USER": "shop",
            "PASSWORD": "secret",
            "HOST": "127.0.0.1",
            "PORT": os.environ["DB_PORT"],
            "CONN_MAX_AGE": 60,
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
application = RetraceMiddleware(get_wsgi_application())
asgi = RetraceMiddleware(get_asgi_application())
"""
RECORDER = """
import app
from django.core.management import call_command
from werkzeug.test import Client
call_command("migrate", verbosity=0)
client = Client(app.application)
for _ in range(2):
    answer = client.get("/", buffered=True)
    assert answer.status_code == 200, answer.text
"""
# The start-up asks on another thread than requests do, whose connection is a new one.
AFTER_A_HEALTH_CHECK = """
import asyncio
import app
import httpx
from django.core.management import call_command
call_command("migrate", verbosity=0)


async def serve():
    transport = httpx.ASGITransport(app.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for path in ("/health", "/"):
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text


asyncio.run(serve())
"""
PLAYER = """
import sys
from retrace_core import replay
result = replay(sys.argv[1], f"app:{sys.argv[2]}")
print(result.summary(), *result.notes, sep="\\n")
sys.exit(not result.identical)
"""


def test_in_a_fresh_process_with_the_server_stopped(recordings: Path, tmp_path: Path) -> None:
    """Users, groups, a failed insert in a savepoint and a cursor's chunks; cold, and on a warm
    connection."""
    _record_and_replay(recordings, tmp_path, RECORDER, "application", 2)


def test_a_request_that_is_not_recorded_found_out_what_the_server_can_do(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A health check; the recorded request after it, on the same thread, asked that no more."""
    monkeypatch.setenv("RETRACE_EXCLUDE", "/health")
    _record_and_replay(recordings, tmp_path, AFTER_A_HEALTH_CHECK, "asgi", 1)


def _record_and_replay(
    recordings: Path, tmp_path: Path, recorder: str, attribute: str, count: int
) -> None:
    (tmp_path / "app.py").write_text(APP)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "RETRACE_BOOT_TAPE": "1"}
    with mariadb_server() as server:
        environ |= {"DB_NAME": server.new_database(), "DB_PORT": str(server.port)}
        subprocess.run([sys.executable, "-c", recorder], env=environ, check=True)
    paths = [path for path in recordings.glob("*/*/*.bin") if "boot" not in str(path.parent)]
    assert len(paths) == count
    for path in paths:
        found = subprocess.run(
            [sys.executable, "-c", PLAYER, str(path), attribute],
            env=environ,
            check=False,
            capture_output=True,
            text=True,
        )
        assert found.returncode == 0, found.stdout + found.stderr
