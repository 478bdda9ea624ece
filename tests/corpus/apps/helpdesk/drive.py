"""django-helpdesk: tickets from outside and inside, answers, knowledge base, reports (Django)."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application
from tests.corpus.visitor import hidden_fields

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FIRST_DATA = """
from helpdesk.models import CustomField, KBCategory, KBItem, PreSetReply, Queue
queue = Queue.objects.create(title="Support", slug="support", allow_public_submission=True,
    new_ticket_cc="boss@example.com", email_address="desk@example.com")
Queue.objects.create(title="Sales", slug="sales", allow_public_submission=True)
CustomField.objects.create(name="floor", label="Floor", data_type="integer", required=False,
    staff_only=False)
category = KBCategory.objects.create(name="Printers", title="Printers", slug="printers",
    description="All about **printers**")
KBItem.objects.create(category=category, title="Paper jam", question="What is to be done?",
    answer="Open *the lid*.")
PreSetReply.objects.create(name="Thanks", body="Thank you.")
"""


def prepare(place: Place) -> None:
    """Make the tables, a member of the staff, two queues and an article."""
    there = ("--pythonpath", str(place.here))
    place.run("django-admin", "migrate", *there)
    place.run("django-admin", "createsuperuser", "--noinput", *there)
    place.run("django-admin", "shell", *there, given=FIRST_DATA)
    place.run("django-admin", "create_usersettings", *there)
    place.run("django-admin", "create_queue_permissions", *there)


def query_of(**parts: object) -> str:
    """Return a search as the list of tickets writes it into its address."""
    whole = {"filtering": {}, "sorting": "created", "search_string": "", **parts}
    return base64.b64encode(json.dumps(whole).encode()).decode()


def drive(visitor: Visitor) -> None:
    """Submit tickets as a customer; log in, answer, search, merge, report and use the API."""
    token = "csrfmiddlewaretoken"
    visitor.get("/")
    visitor.get("/kb/")
    visitor.get("/kb/printers/?kbitem=1")
    visitor.get("/dashboard/", 302)
    ticket = {
        "queue": "1",
        "title": "Printer burns",
        "body": "It **smokes**, and <b>smells</b>.",
        "priority": "2",
        "due_date": "2026-12-24",
        "submitter_email": "carl@example.com",
        "custom_floor": "3",
    }
    submit = "/tickets/submit/"
    visitor.send_form(submit, {**ticket, "submitter_email": "nobody"}, 200, token=token)
    submitted = visitor.send_form(
        submit,
        ticket,
        302,
        token=token,
        files={"attachment": ("smoke.txt", b"grey smoke\n" * 40, "text/plain")},
    )
    visitor.get(submitted.headers["location"])
    visitor.get("/view/?ticket=support-99&email=carl@example.com")
    login = "/login/"
    visitor.send_form(login, {"username": "ann", "password": "wrong"}, 200, token=token)
    visitor.send_form(login, {"username": "ann", "password": "secret-of-ann"}, 302, token=token)
    visitor.get("/dashboard/")
    visitor.get("/tickets/")
    visitor.get(f"/datatables_ticket_list/{query_of()}?draw=1&start=0&length=25")
    visitor.get("/tickets/1/")
    attachment = re.findall(r"/media/[^\"']+", visitor.get("/tickets/1/").text)
    if attachment:
        visitor.get(attachment[0])
    answer = {
        "comment": "We send **someone**.",
        "new_status": "1",
        "public": "1",
        "title": "Printer burns",
        "queue": "1",
        "owner": "1",
        "priority": "1",
        "time_spent": "1:30",
    }
    visitor.send_form(
        "/tickets/1/update/",
        answer,
        302,
        token=token,
        files={"attachment": ("plan.txt", b"first, a bucket\n", "text/plain")},
    )
    visitor.send_form(
        submit,
        {**ticket, "title": "Second", "assigned_to": "1", "due_date": ""},
        302,
        token=token,
    )
    visitor.send_form(submit, {**ticket, "title": "Third", "queue": "2"}, 302, token=token)
    page = visitor.get("/tickets/2/edit/").text
    key = re.findall(r'name="secret_key" value="([^"]+)"', page)
    edited = {
        **hidden_fields(page),
        **ticket,
        "title": "Second, again",
        "description": "It smokes.",
        "secret_key": key[0] if key else "",
    }
    visitor.post("/tickets/2/edit/", 302, data=edited)
    visitor.send_form("/tickets/2/cc/add/", {"email": "dora@example.com"}, 302, token=token)
    visitor.get("/tickets/2/cc/")
    page = visitor.get("/tickets/").text
    csrf = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    mass = {"csrfmiddlewaretoken": csrf, "ticket_id": ["2", "3"], "action": "take"}
    visitor.post("/tickets/update/", 302, data=mass)
    saved = {"csrfmiddlewaretoken": csrf, "title": "Mine", "query_encoded": query_of()}
    visitor.post("/save_query/", 302, data=saved)
    visitor.get("/saved-searches/")
    visitor.get("/tickets/?q=smokes")
    visitor.get(f"/timeline_ticket_list/{query_of()}")
    visitor.get("/tickets/2/hold/", 302, 405)
    visitor.get("/reports/")
    visitor.get("/reports/queuestatus/")
    visitor.get("/reports/daysuntilticketclosedbymonth/")
    visitor.get("/raw/preset/?id=1")
    visitor.get("/rss/recent_activity/")
    visitor.get("/rss/user/ann/")
    visitor.get("/kb/1/vote/up/", 302, 405)
    visitor.get("/api/tickets/")
    head = {"X-CSRFToken": visitor.cookies["csrftoken"]}
    made = {"queue": 1, "title": "By API", "description": "Beep", "priority": 3}
    visitor.post("/api/tickets/", 201, json=made, headers=head)
    visitor.post("/api/tickets/", 400, json={"title": "No queue"}, headers=head)
    visitor.patch("/api/tickets/4/", 200, json={"priority": 1}, headers=head)
    visitor.delete("/api/tickets/4/", 204, headers=head)
    visitor.get("/api/tickets/4/", 404)
    visitor.post("/api/followups/", 201, json={"ticket": 3, "title": "Called"}, headers=head)
    visitor.get("/admin/helpdesk/ticket/")
    visitor.get("/tickets/99/", 404)


APP = Application(
    name="helpdesk",
    framework="Django",
    uses=("PostgreSQL", "files"),
    packages=(
        "django-helpdesk==2.6.1",
        "Django==5.2.19",
        "psycopg[binary]==3.3.9",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={
        "CORPUS_STATE": "{state}",
        "CORPUS_POSTGRESQL": "{postgresql}",
        "DJANGO_SETTINGS_MODULE": "settings",
        "DJANGO_SUPERUSER_USERNAME": "ann",
        "DJANGO_SUPERUSER_PASSWORD": "secret-of-ann",
        "DJANGO_SUPERUSER_EMAIL": "ann@example.com",
    },
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
