"""Pretalx: a conference, from the call for papers to the schedule (Django on psycopg 2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    import httpx

    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

TOKEN = "csrfmiddlewaretoken"
MANAGE = "pretalx"
SHOWN = """
import django
django.setup()
from pretalx.event.models import Event
Event.objects.filter(slug="democon").update(is_public=True)
from django_scopes import scopes_disabled
from pretalx.submission.models import CfP
with scopes_disabled():
    CfP.objects.update(deadline=None)
"""
SETTINGS = """[filesystem]
data = {data}
static = {static}
[database]
backend = postgresql
name = {database}
host = {host}
port = {port}
user = postgres
[site]
url = {url}
"""


def prepare(place: Place) -> None:
    """Make the tables, an administrator, and a conference with some talks handed in."""
    where, _, database = place.filled["postgresql"].partition("/")
    host, _, port = where.partition(":")
    (place.state / "pretalx.cfg").write_text(
        SETTINGS.format(
            data=place.state / "data",
            static=place.state / "static",
            database=database,
            host=host,
            port=port,
            url=f"http://127.0.0.1:{place.filled['port']}",
        )
    )
    place.run("python", "-m", MANAGE, "migrate")
    place.run("python", "-m", MANAGE, "rebuild")
    place.run("python", "-m", MANAGE, "init", "--noinput")
    place.run("python", "-m", MANAGE, "create_test_event", "--stage", "schedule", "--seed", "7")
    place.run("python", "-c", SHOWN)


def drive(visitor: Visitor) -> None:
    """Read the schedule, hand in a talk as a new speaker, then review it as the organiser."""
    event = "/democon"
    visitor.get("/")
    visitor.get("/healthcheck/", 503)  # no cache is set up
    visitor.get(f"{event}/")
    visitor.get(f"{event}/cfp")
    visitor.get(f"{event}/schedule/")
    shown = visitor.get(f"{event}/schedule.json").text
    visitor.get(f"{event}/schedule.xml")
    visitor.get(f"{event}/schedule.ics")
    visitor.get(f"{event}/talk/")
    talk = re.findall(r"/democon/talk/([A-Z0-9]+)/", shown)[0]
    visitor.get(f"{event}/talk/{talk}/")
    visitor.get(f"{event}/talk/{talk}.ics")
    visitor.get(f"{event}/talk/{talk}/feedback/")
    visitor.get(f"{event}/speaker/")
    speaker = re.findall(r"/democon/speaker/([A-Z0-9]+)/", shown)[0]
    visitor.get(f"{event}/speaker/{speaker}/")
    visitor.get(f"{event}/schedule/feed.xml")
    visitor.get(f"{event}/talk/ABSENT/", 404)
    visitor.get("/api/events/")
    visitor.get(f"/api/events{event}/submissions/")
    hand_in(visitor, event)
    visitor.get(f"{event}/me/submissions/")
    visitor.get(f"{event}/me/")
    visitor.get("/orga/event/democon/", 302, 404)
    visitor.get(f"{event}/logout", 302, 405)
    visitor.cookies.clear()
    organise(visitor)
    visitor.get("/nowhere/", 404)


def hand_in(visitor: Visitor, event: str) -> None:
    """Go through the pages by which a talk is handed in."""
    page = visitor.get(f"{event}/submit/", 302)
    while page.is_redirect:
        page = visitor.get(page.headers["location"])
    step = page.request.url.raw_path.decode()
    kinds = re.findall(r'<option value="(\d+)"', page.text)
    talk = {
        "title": "On Retries",
        "abstract": "Why they are hard",
        "description": "",
        "notes": "",
        "content_locale": "en",
        "submission_type": kinds[0] if kinds else "1",
        "track": "",
    }
    visitor.post(step, 200, data={**hidden_fields(page.text), **talk, "title": ""})
    step, page = follow(visitor, visitor.post(step, data={**hidden_fields(page.text), **talk}))
    account = {
        "register_name": "Grace Hopper",
        "register_email": "grace@example.com",
        "register_password": "correct-horse-9-battery",
        "register_password_repeat": "correct-horse-9-battery",
    }
    wrong = {**account, "register_password_repeat": "other"}
    visitor.post(step, 200, data={**hidden_fields(page.text), **wrong})
    step, page = follow(visitor, visitor.post(step, data={**hidden_fields(page.text), **account}))
    profile = {"name": "Grace Hopper", "biography": "Wrote a compiler."}
    follow(visitor, visitor.post(step, data={**hidden_fields(page.text), **profile}))


def follow(visitor: Visitor, answer: httpx.Response) -> tuple[str, httpx.Response]:
    """Go where an answer sends the visitor."""
    if not answer.is_redirect:
        errors = re.findall(r"(?s)invalid-feedback.{0,300}|alert-danger.{0,400}", answer.text)
        raise RuntimeError(f"{answer.request.url} did not go on: {errors[:3]}")
    while answer.is_redirect:
        answer = visitor.get(answer.headers["location"])
    return answer.request.url.raw_path.decode(), answer


def organise(visitor: Visitor) -> None:
    """Log in, look at what came in, accept, mail, schedule, use the API."""
    orga = "/orga/event/democon"
    visitor.get(f"{orga}/", 302)
    login = "/orga/login/"
    mail = "ann@example.com"
    wrong = {"login_email": mail, "login_password": "wrong"}
    visitor.send_form(login, wrong, 200, token=TOKEN)
    right = {"login_email": mail, "login_password": "secret-of-ann"}
    visitor.send_form(login, right, 302, token=TOKEN)
    visitor.get("/orga/event/")
    visitor.get(f"{orga}/")
    listed = visitor.get(f"{orga}/submissions/?q=Retries").text
    code = re.findall(r"/submissions/([A-Z0-9]{6})/", listed)[0]
    visitor.get(f"{orga}/submissions/{code}/")
    visitor.send_form(f"{orga}/submissions/{code}/accept", {}, 302, token=TOKEN)
    visitor.send_form(
        f"{orga}/submissions/{code}/comments/", {"text": "Ask her for slides."}, 302, token=TOKEN
    )
    visitor.get(f"{orga}/submissions/statistics/")
    outbox = visitor.get(f"{orga}/mails/outbox/").text
    letter = re.findall(r"/orga/event/democon/mails/(\d+)/", outbox)[0]
    visitor.get(f"{orga}/mails/{letter}/")
    visitor.get(f"{orga}/speakers/")
    visitor.get(f"{orga}/reviews/")
    visitor.get(f"{orga}/schedule/")
    visitor.get(f"{orga}/schedule/api/talks/")
    visitor.get(f"{orga}/history/")
    visitor.send_form(
        f"{orga}/cfp/tracks/new/", {"name_0": "Testing", "color": "#00ff00"}, 302, token=TOKEN
    )
    visitor.get(f"{orga}/cfp/tracks/")
    visitor.get("/orga/nav/typeahead/?query=demo")
    visitor.get("/orga/me")
    made = {"name": "tools", "events": "1", "permission_preset": "write", "form": "token"}
    page = visitor.send_form("/orga/me", made, 302, token=TOKEN)
    page = visitor.get("/orga/me")
    found = re.findall(r"\b[0-9a-z]{64}\b", page.text)
    bearer = {"Authorization": f"Token {found[0]}"}
    api = "/api/events/democon"
    visitor.get(f"{api}/submissions/?state=accepted", 200, headers=bearer)
    visitor.get(f"{api}/speakers/", 200, headers=bearer)
    visitor.post(f"{api}/tags/", 201, json={"tag": "late", "color": "#ff0000"}, headers=bearer)
    visitor.post(f"{api}/tags/", 400, json={}, headers=bearer)
    visitor.get(f"{api}/tags/", 401, headers={"Authorization": "Token nonsense"})


APP = Application(
    name="pretalx",
    framework="Django",
    uses=("PostgreSQL", "files"),
    packages=(
        "pretalx==2025.2.2",
        "Django==5.2.19",
        "faker==40.63.0",
        "freezegun==1.5.5",
        "psycopg2-binary==2.9.13",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "pretalx.wsgi:application"),
    environment={
        "DJANGO_SETTINGS_MODULE": "pretalx.settings",
        "PRETALX_CONFIG_FILE": "{state}/pretalx.cfg",
        "DJANGO_SUPERUSER_EMAIL": "ann@example.com",
        "DJANGO_SUPERUSER_PASSWORD": "secret-of-ann",
        "PRETALX_INIT_ORGANISER_NAME": "Books and Talks",
        "PRETALX_INIT_ORGANISER_SLUG": "books",
    },
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
